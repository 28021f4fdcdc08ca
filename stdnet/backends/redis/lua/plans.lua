-- plans.lua: from a node of a plan to a set of ids; mirrors memory/plans.py.
--
-- A set is {key = a key, zset = its type}: an index of the table, or a temporary key; it is not changed once made.
-- Scans look at the rows of `within`, if it is given, else at all rows. So evaluate(t, node, within) is right about
-- the members of `within` only, and callers that give it intersect the two.

local evaluate

local function all(t)
    return {key = t.ids, zset = true}
end

local function members(set)
    if set.zset then
        return call('ZRANGE', set.key, 0, -1)
    end
    return call('SMEMBERS', set.key)
end

local function size(set)
    return call(set.zset and 'ZCARD' or 'SCARD', set.key)
end

local function empty()
    return {key = temp(), zset = true}
end

local function store(ids)
    local set, pairs_ = empty(), {}
    for i = 1, #ids do
        pairs_[2 * i - 1], pairs_[2 * i] = '0', ids[i]
    end
    send('ZADD', set.key, pairs_, 2)
    return set
end

-- ZUNIONSTORE and its kin take sets and sorted sets alike.
local function union(sets)
    while #sets > 1 do
        local larger = {}
        for first = 1, #sets, CHUNK do
            local keys, result = {}, empty()
            for i = first, math.min(first + CHUNK - 1, #sets) do
                keys[#keys + 1] = sets[i].key
            end
            keys[#keys + 1] = 'AGGREGATE'
            keys[#keys + 1] = 'MIN'
            call('ZUNIONSTORE', result.key, #keys - 2, unpack(keys))
            larger[#larger + 1] = result
        end
        sets = larger
    end
    return sets[1] or empty()
end

local function both(a, b)
    if a.key == b.key then
        return a
    end
    local result = empty()
    call('ZINTERSTORE', result.key, 2, a.key, b.key, 'AGGREGATE', 'MIN')
    return result
end

local function existing(t, ids)
    local found, scores = {}, gather('ZMSCORE', t.ids, ids)
    for i = 1, #ids do
        if scores[i] then
            found[#found + 1] = ids[i]
        end
    end
    return store(found)
end

-- The rows whose column has one of `values`, or, with `blank`, none.
local function equal(column, values, blank)
    local sets, ids = {}, {}
    if blank then
        sets[1] = {key = column.blank, zset = false}
    end
    if column.unique then
        for _, id in ipairs(gather('HMGET', column.uni, values)) do
            ids[#ids + 1] = id or nil
        end
    elseif column.index == 'range' then
        for _, value in ipairs(values) do
            -- an integer that is not exact as a score is a value of no row here
            local exact = not value:find('^%-?%d+$') or string.format('%.0f', value) == value
            for _, id in ipairs(exact and call('ZRANGEBYSCORE', column.idx, value, value) or {}) do
                ids[#ids + 1] = id
            end
        end
    else
        for _, value in ipairs(values) do
            sets[#sets + 1] = {key = idx_key(column, value), zset = false}
        end
    end
    if #ids > 0 then
        sets[#sets + 1] = store(ids)
    end
    return union(sets)
end

-- Return the ids, of `set`, for which test(value, id) holds; rows without the value are left out.
local function filter(t, set, field, test)
    local kept, read = {}, reader(t, field)
    for _, id in ipairs(members(set)) do
        local value = read(id)
        if value and test(value) then
            kept[#kept + 1] = id
        end
    end
    return kept
end

local function bounds(low, high)
    local open_low, open_high = sub(low, 1, 1) == '(', sub(high, 1, 1) == '('
    local min, max = tonumber(open_low and sub(low, 2) or low), tonumber(open_high and sub(high, 2) or high)
    return function(value)
        local n = tonumber(value)
        return (n > min or n == min and not open_low) and (n < max or n == max and not open_high)
    end
end

local SEARCH = {
    contains = function(part)
        return function(value) return find(value, part, 1, true) ~= nil end
    end,
    startswith = function(part)
        return function(value) return sub(value, 1, #part) == part end
    end,
    endswith = function(part)
        return function(value) return part == '' or sub(value, -#part) == part end
    end,
}

local function predicate(op, wanted, less)
    if op == 'lt' then
        return function(value) return less(value, wanted) end
    elseif op == 'le' then
        return function(value) return not less(wanted, value) end
    elseif op == 'gt' then
        return function(value) return less(wanted, value) end
    elseif op == 'ge' then
        return function(value) return not less(value, wanted) end
    elseif sub(op, 1, 1) == 'i' then
        local test, lower = SEARCH[sub(op, 2)](string.lower(wanted)), string.lower
        return function(value) return test(lower(value)) end
    end
    return SEARCH[op](wanted)
end

-- Leaves are compared with those of their class only; their text is searched without the letter for the type.
local function leaf_predicate(op, wanted)
    if #op > 2 then
        local test = predicate(op, wanted)
        return function(value) return test(sub(value, 2)) end
    end
    local class, test = CLASS[byte(wanted)], nil
    if op == 'eq' then
        test = function(value) return not leaf_less(value, wanted) and not leaf_less(wanted, value) end
    else
        test = predicate(op, wanted, leaf_less)
    end
    return function(value) return CLASS[byte(value)] == class and test(value) end
end

local function nulls(t, field, wanted, set)
    if field == t.pk then
        return wanted and {} or members(set)
    end
    local kept, read, kind = {}, reader(t, field)
    for _, id in ipairs(members(set)) do
        local value = read(id) or ''
        if (value == '' or kind == 'leaf' and leaf_blank(value)) == wanted then
            kept[#kept + 1] = id
        end
    end
    return kept
end

-- Return the ids of `set` whose rows the program leaves true, rows without one of `fields` left out.
local function matching(t, set, program, fields)
    local steps, kept, columns = compiled(program), {}, {}
    for _, field in ipairs(fields) do
        if field ~= t.pk then
            columns[#columns + 1] = field
        end
    end
    for _, id in ipairs(members(set)) do
        local row = #columns > 0 and hmget(obj_key(t, id), columns) or {}
        local values, whole = {[t.pk] = t.numeric and tonumber(id) or id}, true
        for i, field in ipairs(columns) do
            local value = row[i]
            if not value then
                whole = false
                break
            end
            values[field] = INDEXED[t.column[field].type] == 'number' and tonumber(value) or value
        end
        if whole and holds(steps, values) then
            kept[#kept + 1] = id
        end
    end
    return kept
end

-- Return the values of a column, or of the pk, in the rows `ids`, each once, as a column of the type `kind` has them;
-- blank ones are left out, and those that such a column cannot have.
local function values_of(t, ids, field, kind)
    local own, values, seen = field == t.pk, {}, {}
    local from = own and t.type or t.column[field].type
    for _, id in ipairs(ids) do
        local value = own and id or call('HGET', obj_key(t, id), field)
        value = value and value ~= '' and convert(value, from, kind)
        if value and not seen[value] then
            seen[value] = true
            values[#values + 1] = value
        end
    end
    return values
end

-- Return the rows whose `field` is among the values of `of` in the rows `ids` of another table.
local function joined(t, field, other, ids, of)
    if field == t.pk then
        return existing(t, values_of(other, ids, of, t.type))
    end
    return equal(t.column[field], values_of(other, ids, of, t.column[field].type))
end

local NODES = {}

-- {'all'}
function NODES.all(t)
    return all(t)
end

-- {'ids', ids}
function NODES.ids(t, node)
    return existing(t, node[2])
end

-- {'eq', field, values, blank}
function NODES.eq(t, node)
    return equal(t.column[node[2]], node[3], node[4] == '1')
end

-- {'match', name of a unique combination, values}
function NODES.match(t, node)
    return equal(t.column[node[2]], node[3])
end

-- {'range', field, min, max}: the bounds as ZRANGEBYSCORE takes them
function NODES.range(t, node)
    local field, key = node[2], t.ids
    if field ~= t.pk then
        key = t.column[field].idx
    elseif t.order ~= 'id' then
        return store(filter(t, all(t), field, bounds(node[3], node[4])))
    end
    local result = empty()
    call('ZRANGESTORE', result.key, key, node[3], node[4], 'BYSCORE')
    return result
end

-- {'scan', field, op, value}
function NODES.scan(t, node, within)
    local field, op, set = node[2], node[3], within or all(t)
    if op == 'isnull' then
        return store(nulls(t, field, node[4] == '1', set))
    end
    local _, kind = reader(t, field)
    local test = kind == 'leaf' and leaf_predicate(op, node[4]) or predicate(op, node[4], LESS[kind])
    return store(filter(t, set, field, test))
end

-- {'where', {{op, argument}, ...}, fields}
function NODES.where(t, node, within)
    return store(matching(t, within or all(t), node[2], node[3]))
end

-- {'in', field, table, plan, of}
NODES['in'] = function(t, node)
    local other = open(node[3])
    return joined(t, node[2], other, members(evaluate(other, node[4])), node[5])
end

-- {'union', plans}
function NODES.union(t, node, within)
    local sets = {}
    for i, child in ipairs(node[2]) do
        sets[i] = evaluate(t, child, within)
    end
    return union(sets)
end

-- {'intersect', plans}: scans come last
function NODES.intersect(t, node, within)
    local result = within
    for _, child in ipairs(node[2]) do
        local set = evaluate(t, child, result)
        result = result and both(result, set) or set
    end
    return result
end

-- {'diff', plan, minus}
function NODES.diff(t, node, within)
    local set = evaluate(t, node[2], within)
    local result = empty()
    call('ZDIFFSTORE', result.key, 2, set.key, evaluate(t, node[3], set).key)
    return result
end

function evaluate(t, node, within)
    return NODES[node[1]](t, node, within)
end
