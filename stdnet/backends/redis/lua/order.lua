-- order.lua: the order of a table, for sets of ids and for slices of them.

-- Return a sorted set of the members of `set` with the scores of the table.
local function ordered(t, set)
    if set.key == t.ids then
        return set
    end
    local result = empty()
    call('ZINTERSTORE', result.key, 2, set.key, t.ids, 'WEIGHTS', 0, 1)
    return result
end

local function by_number(ids)
    local numbers, texts = {}, {}
    for i, id in ipairs(ids) do
        numbers[i] = tonumber(id)
        texts[numbers[i]] = id
    end
    table.sort(numbers)
    for i, number in ipairs(numbers) do
        ids[i] = texts[number]
    end
    return ids
end

-- Bring ids of equal score, which come by code point, into the order of numbers.
local function ties(t)
    return t.numeric and t.order ~= 'id' and by_number or nil
end

-- Return the members start..stop-1 of a sorted set, groups of equal score as `arrange` has them.
local function ranked(key, start, stop, arrange, desc)
    if stop <= start then
        return {}
    end
    local range = desc and 'ZREVRANGE' or 'ZRANGE'
    if not arrange then
        return call(range, key, start, stop - 1)
    end
    local first = call(range, key, start, start, 'WITHSCORES')[2]
    local last = call(range, key, stop - 1, stop - 1, 'WITHSCORES')[2]
    local from = desc and call('ZCOUNT', key, '(' .. first, '+inf') or call('ZCOUNT', key, '-inf', '(' .. first)
    local to = desc and call('ZCOUNT', key, last, '+inf') or call('ZCOUNT', key, '-inf', last)
    local found, out, i = call(range, key, from, to - 1, 'WITHSCORES'), {}, 1
    while i < #found do
        local group, score = {}, found[i + 1]
        while found[i + 1] == score do
            group[#group + 1] = found[i]
            i = i + 2
        end
        if desc then
            for n = 1, floor(#group / 2) do
                group[n], group[#group + 1 - n] = group[#group + 1 - n], group[n]
            end
        end
        if #group > 1 then
            group = arrange(group)
        end
        for _, id in ipairs(group) do
            from = from + 1
            if from > start and from <= stop then
                out[#out + 1] = id
            end
        end
    end
    return out
end

-- Return all members of `set` in the order of the table.
local function listed(t, set)
    local key = ordered(t, set).key
    return ranked(key, 0, call('ZCARD', key), ties(t))
end
