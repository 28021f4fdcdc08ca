-- sought.lua: the rows that a structure finds, and nothing else: what a plain search is. It goes without plans and
-- temporary keys, which cost more than to find few rows does.
--
-- request  {table, kind, operation, key without the namespace, type, arguments, stop or nil, fields, limit}
-- reply    {ids, rows}: the ids in the order of the table, the rows of the first `limit` of them

return run(function()
    local t, key, found = open(request[1]), namespace .. request[4], {}
    typed(key, request[5])
    local ids = perform(request[2], request[3], key, request[6])
    local scores = gather('ZMSCORE', t.ids, ids)
    for i = 1, #ids do
        if scores[i] then
            found[#found + 1] = {tonumber(scores[i]), ids[i]}
        end
    end
    local less = t.numeric and float_less or text_less
    table.sort(found, function(a, b)
        if a[1] ~= b[1] then
            return a[1] < b[1]
        end
        return less(a[2], b[2])
    end)
    local sorted, rows, fields = {}, {}, request[8]
    for i = 1, math.min(#found, tonumber(request[7] or #found)) do
        sorted[i] = found[i][2]
        if #fields > 0 and i <= tonumber(request[9]) then
            rows[i] = hmget(obj_key(t, sorted[i]), fields)
        end
    end
    return {sorted, rows}
end)
