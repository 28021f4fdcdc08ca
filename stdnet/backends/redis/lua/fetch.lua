-- fetch.lua: more rows of a Select whose first call gave their ids.
--
-- request  {table, ids, fields}
-- reply    rows; nil for a row that is gone

return run(function()
    local t, ids, fields, rows = open(request[1]), request[2], request[3], {}
    local scores = gather('ZMSCORE', t.ids, ids)
    for i, id in ipairs(ids) do
        rows[i] = scores[i] and hmget(obj_key(t, id), fields)
    end
    return rows
end)
