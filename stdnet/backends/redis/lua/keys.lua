-- keys.lua: the names of a table's keys, found from its rows; a part of them at a time.
--
-- request  {table, start, limit}: the ranks of the rows to look at
-- reply    {names, '1' if there are more rows}

return run(function()
    local t, start, limit = open(request[1]), tonumber(request[2]), tonumber(request[3])
    local wanted, names, structures, _, rows, whole = {}, {}, {}, known(t)
    if start == 0 then
        name_structures(namespace .. t.name .. ':struct', whole, structures, {})
        wanted[t.ids], wanted[t.counter] = true, true
        if t.ttl then
            wanted[t.ttl] = true
        end
        for _, column in ipairs(t.indexed) do
            wanted[column.uni], wanted[column.idx], wanted[column.blank] = true, true, true
        end
        for _, combined in ipairs(t.together) do
            wanted[combined.uni] = true
        end
    end
    local ids = call('ZRANGE', t.ids, start, start + limit - 1)
    for _, id in ipairs(ids) do
        wanted[obj_key(t, id)] = true
        name_structures(obj_key(t, id), rows, structures, {})
        for _, column in ipairs(t.indexed) do
            local value = column.index == 'equal' and call('HGET', obj_key(t, id), column.name)
            if value then
                wanted[idx_key(column, value)] = true
            end
        end
    end
    for _, key in ipairs(structures) do
        wanted[key] = true
    end
    for key in pairs(wanted) do
        if call('EXISTS', key) == 1 then
            names[#names + 1] = key
        end
    end
    return {names, #ids == limit and '1' or ''}
end)
