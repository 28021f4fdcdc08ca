-- sort.lua: order the ids of a plan by a column, cut a slice, take the fields of its first rows.

-- Return a sorted set of `set` where ids stand by rank of their values, given as texts in the order of `ids`.
local function by_rank(ids, values, ranks)
    local result, items = empty(), {}
    for i, id in ipairs(ids) do
        items[2 * i - 1], items[2 * i] = ranks[values[i]], id
    end
    send('ZADD', result.key, items, 2)
    return result
end

local function distinct(values)
    local seen, out = {}, {}
    for _, value in ipairs(values) do
        if not seen[value] then
            seen[value] = true
            out[#out + 1] = value
        end
    end
    return out
end

local function text_ranks(values)
    local ranks = {}
    for n, value in ipairs(call('ZRANGE', store(distinct(values)).key, 0, -1)) do
        ranks[value] = format('%d', n)
    end
    return ranks
end

-- Numbers are scores themselves, unless there are integers that a double cannot hold.
local function number_ranks(values)
    local ranks, exact = {}, true
    for _, value in ipairs(values) do
        ranks[value] = value
        exact = exact and #value < 16
    end
    return ranks, exact
end

local function int_ranks(values)
    local ranks, sorted = {}, distinct(values)
    table.sort(sorted, int_less)
    for n, value in ipairs(sorted) do
        ranks[value] = format('%d', n)
    end
    return ranks
end

-- Leaves of equal value, such as i5 and f5.0, have one rank.
local function leaf_ranks(values)
    local ranks, sorted, rank = {}, distinct(values), 0
    table.sort(sorted, leaf_less)
    for n, value in ipairs(sorted) do
        rank = n > 1 and leaf_less(sorted[n - 1], value) and n or rank
        ranks[value] = format('%d', rank)
    end
    return ranks
end

-- Return what a missing value of a type counts as.
local function missing(kind)
    return kind == 'leaf' and 'i0' or INDEXED[kind] == 'number' and '0' or ''
end

-- Return a sorted set of `ids` where they stand by their values, given in the same order, of the type `kind`.
local function by_values(ids, values, kind)
    if INDEXED[kind] == 'text' then
        return by_rank(ids, values, text_ranks(values))
    end
    if kind == 'leaf' then
        return by_rank(ids, values, leaf_ranks(values))
    end
    local ranks, exact = number_ranks(values)
    if kind == 'int' and not exact then
        ranks = int_ranks(values)
    end
    return by_rank(ids, values, ranks)
end

local function by_value(t, set, field)
    local ids, values, read, kind = members(set), {}, reader(t, field)
    local blank = missing(kind)
    for i, id in ipairs(ids) do
        local value = read(id)
        values[i] = value and not (kind == 'leaf' and value == 'b') and value or blank
    end
    return by_values(ids, values, kind)
end

local function by_index(t, set, column)
    local blanks = call('EXISTS', column.blank) == 1
    if set.key == t.ids and not blanks then
        return {key = column.idx, zset = true}
    end
    local result = empty()
    call('ZINTERSTORE', result.key, 2, set.key, column.idx, 'WEIGHTS', 0, 1)
    if blanks then
        local zeros = temp()
        call('ZINTERSTORE', zeros, 2, set.key, column.blank, 'WEIGHTS', 0, 0)
        call('ZUNIONSTORE', result.key, 2, result.key, zeros)
    end
    return result
end

local function by_pk(t, set)
    if t.order == 'id' then
        return ordered(t, set)
    end
    local result, items = empty(), {}
    for i, id in ipairs(members(set)) do
        items[2 * i - 1], items[2 * i] = t.numeric and id or '0', id
    end
    send('ZADD', result.key, items, 2)
    return result
end

-- Return what puts ids of equal value into the order of the table; they come by code point.
local function arranger(t)
    if t.order == 'id' then
        return t.numeric and by_number or function(ids) return ids end
    end
    return function(ids)
        return listed(t, store(ids))
    end
end

local function sorted(t, set, sort)
    if sort[1] == t.pk then
        return by_pk(t, set), nil
    end
    local column = t.column[sort[1]]
    if column and column.index == 'range' then
        return by_index(t, set, column), arranger(t)
    end
    return by_value(t, set, sort[1]), arranger(t)
end

-- Return a slice of `count` items as Python understands it.
local function cut(count, start, stop)
    start, stop = tonumber(start or 0), tonumber(stop or count)
    if start < 0 then
        start = math.max(0, start + count)
    end
    if stop < 0 then
        stop = stop + count
    end
    return start, math.min(stop, count)
end

-- Return the values of `fields` in the first `limit` of the rows `ids`.
local function taken(t, ids, fields, limit)
    local rows = {}
    if #fields > 0 then
        for i = 1, math.min(#ids, limit) do
            rows[i] = hmget(obj_key(t, ids[i]), fields)
        end
    end
    return rows
end
