-- rows.lua: writing rows and everything that is derived from them; mirrors memory/store.py.
--
-- A step is {id, old, new, score}: a row before and after as arrays of text with false for missing values, false where
-- the row does not exist. note() collects what steps mean for keys, verify() looks at the types of those keys, and
-- only then write() writes. So what can fail fails before the first write.

local function changes()
    return {add = {}, remove = {}, put = {}, drop = {}, hset = {}, hdel = {}, unlink = {}, rows = {}, fresh = {}}
end

local function note_item(group, key, ...)
    local items = group[key]
    if not items then
        items = {}
        group[key] = items
    end
    for i = 1, select('#', ...) do
        items[#items + 1] = (select(i, ...))
    end
end

local function note_index(w, column, id, old, new)
    if old ~= nil then
        if not old or old == '' then
            note_item(w.remove, column.blank, id)
        else
            if column.unique then
                note_item(w.hdel, column.uni, key_value(column, old))
            end
            if column.index == 'equal' then
                note_item(w.remove, idx_key(column, key_value(column, old)), id)
            elseif column.index == 'range' and (new == nil or not new) then
                note_item(w.drop, column.idx, id)
            end
        end
    end
    if new ~= nil then
        if not new or new == '' then
            note_item(w.add, column.blank, id)
        else
            if column.unique then
                note_item(w.hset, column.uni, key_value(column, new), id)
            end
            if column.index == 'equal' then
                note_item(w.add, idx_key(column, key_value(column, new)), id)
            elseif column.index == 'range' then
                note_item(w.put, column.idx, new, id)
            end
        end
    end
end

local function note_row(t, w, key, old, new)
    local fields, gone, kept = {'HSET', key}, {'HDEL', key}, false
    for n, name in ipairs(t.names) do
        local value = new[n]
        kept = kept or value
        if not old or old[n] ~= value then
            if value then
                fields[#fields + 1], fields[#fields + 2] = name, value
            elseif old and old[n] then
                gone[#gone + 1] = name
            end
        end
    end
    if old and not kept then
        w.unlink[#w.unlink + 1] = key
        return
    end
    if #gone > 2 then
        w.rows[#w.rows + 1] = gone
    end
    if #fields > 2 then
        w.rows[#w.rows + 1] = fields
    end
end

-- Collect what one step means.
local function note(t, w, id, old, new, score)
    local key = obj_key(t, id)
    for _, column in ipairs(t.indexed) do
        local before, after = nil, nil
        if old then
            before = old[column.place]
        end
        if new then
            after = new[column.place]
        end
        if before ~= after then
            note_index(w, column, id, before, after)
        end
    end
    for n = 1, #t.together do
        local combined = t.together[n]
        local before, after = old and combination(combined, old), new and combination(combined, new)
        if before ~= after then
            if before then
                note_item(w.hdel, combined.uni, before)
            end
            if after then
                note_item(w.hset, combined.uni, after, id)
            end
        end
    end
    if not new then
        note_item(w.drop, t.ids, id)
        if t.ttl then
            note_item(w.drop, t.ttl, id)
        end
        w.unlink[#w.unlink + 1] = key
        return
    end
    if score then
        note_item(w.put, t.ids, score, id)
    end
    if not old then
        w.fresh[#w.fresh + 1] = key
    end
    note_row(t, w, key, old, new)
end

local SIZE = {add = 'SCARD', remove = 'SCARD', put = 'ZCARD', drop = 'ZCARD', hset = 'HLEN', hdel = 'HLEN'}

-- Fail unless all keys that will be written are of the type that they should have.
local function verify(w)
    for group, command in pairs(SIZE) do
        for key in pairs(w[group]) do
            expect(command, key)
        end
    end
    local stale = {}
    for _, key in ipairs(w.fresh) do
        if expect('HLEN', key) > 0 then
            stale[#stale + 1] = key
        end
    end
    for _, key in ipairs(stale) do
        w.unlink[#w.unlink + 1] = key
    end
end

local function unlink(keys)
    local removed = 0
    for first = 1, #keys, CHUNK do
        removed = removed + call('UNLINK', unpack(keys, first, math.min(first + CHUNK - 1, #keys)))
    end
    return removed
end

-- What goes goes first: in a swap the value that one row leaves is the one that another row takes.
local function write(w)
    unlink(w.unlink)
    for key, items in pairs(w.remove) do
        send('SREM', key, items)
    end
    for key, items in pairs(w.drop) do
        send('ZREM', key, items)
    end
    for key, items in pairs(w.hdel) do
        send('HDEL', key, items)
    end
    for key, items in pairs(w.add) do
        send('SADD', key, items)
    end
    for key, items in pairs(w.put) do
        send('ZADD', key, items, 2)
    end
    for key, items in pairs(w.hset) do
        send('HSET', key, items, 2)
    end
    for _, command in ipairs(w.rows) do
        if #command <= 2 * CHUNK then
            call(unpack(command))
        else
            local name, key = table.remove(command, 1), table.remove(command, 1)
            send(name, key, command, 2)
        end
    end
end

local function load(t, id)
    if #t.names == 0 then
        return {}
    end
    return hmget(obj_key(t, id), t.names)
end

-- Keep a table in the register exactly as long as it has a key.
local function register(t)
    if call('EXISTS', t.ids, t.counter) == 0 then
        call('HDEL', TABLES, t.name)
    elseif call('HGET', TABLES, t.name) ~= t.layout then
        call('HSET', TABLES, t.name, t.layout)
    end
end
