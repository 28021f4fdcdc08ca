-- ranked.lua: the rows of a plan by what structures give for them; mirrors memory/select.py.
--
-- request  as select.lua has it, with scores in the place of the sort
-- scores   {{kind, operation, key without the namespace, type, arguments, path or none}, ...}
-- reply    {ids, rows, related, contents, sums of the scores}

-- Return the ids that a path leads to from `ids`; false where it leads to none.
local function ends(t, ids, path)
    for _, step in ipairs(path) do
        local column, other, out = t.column[step[1]], open(step[2]), {}
        for i, id in ipairs(ids) do
            local value = id and call('HGET', obj_key(t, id), column.name)
            value = value and value ~= '' and convert(value, column.type, other.type)
            out[i] = value and call('ZSCORE', other.ids, value) and value or false
        end
        t, ids = other, out
    end
    return ids
end

local function add_scores(t, ids, sums, scores)
    local key, path, arguments = namespace .. scores[3], scores[6], {false, unpack(scores[5])}
    typed(key, scores[4])
    if not path then
        arguments[1] = ids
        for i, score in ipairs(perform(scores[1], scores[2], key, arguments)) do
            sums[i] = sums[i] + score
        end
        return
    end
    local led, given, known = ends(t, ids, path), {}, {}
    for _, id in ipairs(led) do
        if id and not known[id] then
            given[#given + 1], known[id] = id, 0
        end
    end
    arguments[1] = given
    for i, score in ipairs(perform(scores[1], scores[2], key, arguments)) do
        known[given[i]] = score
    end
    for i, id in ipairs(led) do
        sums[i] = sums[i] + (id and known[id] or 0)
    end
end

return run(function()
    quiet()
    local t, limit = open(request[1]), tonumber(request[7])
    local ids, sums, items, sum_of, result = members(evaluate(t, request[2])), {}, {}, {}, empty()
    for i = 1, #ids do
        sums[i] = 0
    end
    for _, scores in ipairs(request[3]) do
        add_scores(t, ids, sums, scores)
    end
    for i, id in ipairs(ids) do
        items[2 * i - 1], items[2 * i], sum_of[id] = format('%.17g', -sums[i]), id, format('%.17g', sums[i])
    end
    send('ZADD', result.key, items, 2)
    local start, stop = cut(#ids, request[4], request[5])
    local found, scores = ranked(result.key, start, stop, t.numeric and by_number), {}
    for i, id in ipairs(found) do
        scores[i] = sum_of[id]
    end
    local brought = request[8] and all_brought(t, found, request[8], limit) or {}
    local held = request[9] and contents(t, found, request[9], limit) or {}
    return {found, taken(t, found, request[6], limit), brought, held, scores}
end)
