-- select.lua: the rows of a plan; mirrors memory/select.py.
--
-- request  {table, plan, sort or nil, start or nil, stop or nil, fields, limit, related or none}
-- sort     {field, '1' for descending, path or none}; what paths and related are is said in paths.lua
-- reply    {ids, rows, related or none}: all ids of the slice, the rows of the first `limit` of them

return run(function()
    quiet()
    local t, sort, limit, related = open(request[1]), request[3], tonumber(request[7]), request[8]
    local set, arrange, desc = evaluate(t, request[2]), ties(t), false
    if sort then
        if sort[3] then
            set, arrange = by_path(t, set, sort[1], sort[3]), arranger(t)
        else
            set, arrange = sorted(t, set, sort)
        end
        desc = sort[2] == '1'
    else
        set = ordered(t, set)
    end
    local start, stop = cut(call('ZCARD', set.key), request[4], request[5])
    local ids = ranked(set.key, start, stop, arrange, desc)
    return {ids, taken(t, ids, request[6], limit), related and all_brought(t, ids, related, limit)}
end)
