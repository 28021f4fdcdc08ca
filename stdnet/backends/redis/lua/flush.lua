-- flush.lua: remove a table, a part at a time; after each part what is left is whole.
--
-- request  {table, limit}
-- reply    {number of keys removed, '1' if there are more rows}

local function present(keys)
    local number = 0
    for key in pairs(keys) do
        number = number + call('EXISTS', key)
    end
    return number
end

return run(function()
    local t, limit, w, shared = open(request[1]), tonumber(request[2]), changes(), {}
    local parts, fields, rows, whole = {}, known(t)
    local ids = call('ZRANGE', t.ids, 0, limit - 1)
    for _, id in ipairs(ids) do
        note(t, w, id, load(t, id), false)
        name_structures(obj_key(t, id), rows, w.unlink, parts)
    end
    verify(w)
    local removed, rest = unlink(w.unlink), {}
    w.unlink = {}
    for _, group in ipairs({w.remove, w.drop, w.hdel}) do
        for key in pairs(group) do
            shared[key] = true
        end
    end
    local before = present(shared)
    write(w)
    removed = removed + before - present(shared)
    local more = call('EXISTS', t.ids) == 1
    if not more then
        rest[1] = t.counter
        for _, column in ipairs(t.indexed) do
            rest[#rest + 1], rest[#rest + 2], rest[#rest + 3] = column.uni, column.idx, column.blank
        end
        for _, combined in ipairs(t.together) do
            rest[#rest + 1] = combined.uni
        end
        name_structures(namespace .. t.name .. ':struct', whole, rest, parts)
        removed = removed + unlink(rest)
        call('HDEL', TABLES, t.name)
        send('HDEL', namespace .. ':structures', fields)
    end
    unlink(parts)
    return {format('%d', removed), more and '1' or ''}
end)
