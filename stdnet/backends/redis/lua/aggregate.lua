-- aggregate.lua: counts, sums, least and greatest values of groups of rows; mirrors memory/aggregate.py. One block of
-- rows at a time: the first call finds all ids and takes the first block, each further one is given the ids of its own.
--
-- request  {table, plan or nil, ids or nil, limit, group, {{op, column or nil}, ...}}
-- reply    {ids, {{values, results}, ...}}: all ids of the plan; a sum of ints as digits of base 10^7, lowest first

local DIGITS = 7 -- a thousand numbers of so many digits are exact in a sum of doubles, and a place is one of them

local function add_int(places, text)
    places = places or {}
    local sign, first = 1, 1
    if byte(text) == 45 then
        sign, first = -1, 2
    end
    local last, n = #text, 1
    while last >= first do
        places[n] = (places[n] or 0) + sign * tonumber(sub(text, math.max(first, last - DIGITS + 1), last))
        last, n = last - DIGITS, n + 1
    end
    return places
end

local function add_float(sum, text)
    return (sum or 0) + tonumber(text)
end

-- Return what adds the text of one value to a result, which is false before the first one.
local function folding(op, kind)
    if op == 'count' then
        return function(count) return (count or 0) + 1 end
    elseif op == 'sum' then
        return kind == 'int' and add_int or add_float
    end
    local less, least = LESS[kind], op == 'min'
    return function(best, text)
        if not best or (least and less(text, best)) or (not least and less(best, text)) then
            return text
        end
        return best
    end
end

-- Return what reads a column of a row as text, or false; the id itself for the pk, and for nil. `names` are the columns
-- that rows consist of, each once.
local function reading(t, name, names)
    if not name or name == t.pk then
        return function(id) return id end
    end
    if not names[name] then
        names[#names + 1] = name
        names[name] = #names
    end
    local column, place = t.column[name], names[name]
    return function(_, row) return key_value(column, row[place]) end
end

-- Return the values that tell a row's group from others, and one text for all of them.
local function group_of(keys, id, row)
    local values, parts = {}, {}
    for n, read in ipairs(keys) do
        local value = read(id, row)
        values[n], parts[n] = value, value and #value .. ':' .. value or '-'
    end
    return values, table.concat(parts)
end

-- What to compute of rows that consist of `names`.
local function task(t, group, terms)
    local w = {names = {}, keys = {}, terms = {}, groups = {}, known = {}}
    for n, name in ipairs(group) do
        w.keys[n] = reading(t, name, w.names)
    end
    for n, term in ipairs(terms) do
        local kind = term[2] and (term[2] == t.pk and t.type or t.column[term[2]].type)
        w.terms[n] = {fold = folding(term[1], kind), read = reading(t, term[2], w.names)}
    end
    return w
end

-- Return the results of the group that a row belongs to.
local function results_of(w, id, row)
    local values, key = group_of(w.keys, id, row)
    local results = w.known[key]
    if not results then
        results = {}
        for n = 1, #w.terms do
            results[n] = false
        end
        w.known[key], w.groups[#w.groups + 1] = results, {values, results}
    end
    return results
end

local function take(w, id, row)
    local results = results_of(w, id, row)
    for n, term in ipairs(w.terms) do
        local value = term.read(id, row)
        if value then
            results[n] = term.fold(results[n], value)
        end
    end
end

-- Numbers of a reply lose their fractions, so they become text.
local function shown(w)
    for _, group in ipairs(w.groups) do
        for n, result in ipairs(group[2]) do
            group[2][n] = type(result) == 'number' and format('%.17g', result) or result
        end
    end
    return w.groups
end

return run(function()
    quiet()
    local t, ids, scores = open(request[1]), request[3], nil
    local w = task(t, request[5], request[6])
    if ids then
        scores = gather('ZMSCORE', t.ids, ids) -- a row may be gone by now
    else
        ids = listed(t, evaluate(t, request[2]))
    end
    for i = 1, math.min(#ids, tonumber(request[4])) do
        if not scores or scores[i] then
            take(w, ids[i], #w.names > 0 and hmget(obj_key(t, ids[i]), w.names))
        end
    end
    return {scores and {} or ids, shown(w)}
end)
