-- alongside.lua: what a commit does to structures: calls of their operations, and what becomes of those of rows.
--
-- calls    {tables, {call, ...}, entries}; entries are what to put into the register
-- tables   those of rows that something is made for, and those whose rows can expire
-- call     {kind, type, operation, key, arguments, place of a table or none, id or none}: the last two only if it makes
--          something for that row
-- after    a fourth member of calls: {{kind, type, operation, key, arguments, save, table}, ...}: the number of a save,
--          or nil and the name of a table, or both for the new rows of a save

local verify_rows, write_rows = verify, write
local called = request[5] or {{}, {}, {}}

-- Return whether a row that does not exist is added under its id, and not by a move.
local function added(draft, id)
    for _, each in ipairs(draft.moves or {}) do
        if each[1] == id or each[2] == id then
            return false
        end
    end
    return draft.after[id]
end

-- Return the places of calls whose row neither exists nor is added.
local function orphans()
    local gone = {}
    for _, desc in ipairs(called[1]) do
        draft_of(desc)
    end
    for place, each in ipairs(called[2]) do
        local draft = each[7] and draft_of(called[1][tonumber(each[6])])
        if draft and not stored(draft, each[7]) and not added(draft, each[7]) then
            gone[#gone + 1] = format('%d', place - 1)
        end
    end
    return gone
end

verify = function(w)
    verify_rows(w)
    expect('HLEN', namespace .. ':structures')
    local kind_at = {}
    local function look(kind, type, operation, key, arguments)
        typed(key, type)
        if (kind_at[key] or kind) ~= kind then
            fail('type', key)
        end
        kind_at[key] = kind
        if kinds[kind].guard then
            kinds[kind].guard(key, operation, arguments)
        end
    end
    for _, each in ipairs(called[2]) do
        look(unpack(each, 1, 5))
    end
    for _, each in ipairs(called[4] or {}) do
        look(unpack(each, 1, 5))
    end
end

local function drop(draft)
    local keys, t = {}, draft.t
    for id in pairs(draft.deleted) do
        for _, ending in ipairs(t.structures) do
            keys[#keys + 1] = obj_key(t, id) .. ending
        end
    end
    unlink(keys)
end

local function move(draft)
    local t = draft.t
    for _, each in ipairs(draft.moves) do
        for _, ending in ipairs(t.structures) do
            local from = obj_key(t, each[1]) .. ending
            if call('EXISTS', from) == 1 then
                call('RENAME', from, obj_key(t, each[2]) .. ending)
            end
        end
    end
end

-- Return the ids that were deleted or moved away from.
local function lost(draft)
    local ids = {}
    for id in pairs(draft.deleted) do
        if not exists(draft, id) then
            ids[#ids + 1] = id
        end
    end
    for _, each in ipairs(draft.moves) do
        if not exists(draft, each[1]) then
            ids[#ids + 1] = each[1]
        end
    end
    return ids
end

-- Return those of ids whose row did not stand before the commit, or was deleted by it.
local function new(draft, ids)
    local out = {}
    for _, id in ipairs(ids) do
        if draft.deleted[id] or draft.stored[id] == false then
            out[#out + 1] = id
        end
    end
    return out
end

local function follow(each, saved)
    local kind, _, operation, key, arguments, save, name = unpack(each, 1, 7)
    local ids = save and saved[tonumber(save)] or name and drafts[name] and lost(drafts[name]) or {}
    if save and name then
        ids = new(drafts[name], ids)
    end
    if #ids > 0 then
        table.insert(arguments, 1, ids)
        perform(kind, operation, key, arguments)
    end
end

-- Moves come last, in their order: what is in the way of one has moved before, or was deleted.
write = function(w, saved)
    enrol(called[3])
    for _, each in ipairs(called[2]) do
        perform(each[1], each[3], each[4], each[5])
    end
    local after = called[4] or {}
    called = nil -- to be freed
    write_rows(w)
    for _, draft in ipairs(order) do
        if draft.t.structures then
            drop(draft)
            move(draft)
        end
    end
    for _, each in ipairs(after) do
        follow(each, saved)
    end
end
