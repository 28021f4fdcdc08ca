-- references.lua: what becomes of rows that refer to deleted ones; mirrors memory/commit.py.
--
-- reference  {table, field, name of the parent's table, 'cascade' or 'restrict' or 'null'}

-- Return ids of a table as a column that refers to it has them.
local function as_values(t, ids, column)
    local values = {}
    for _, id in ipairs(ids) do
        values[#values + 1] = convert(id, t.type, column.type)
    end
    return values
end

-- Mark as deleted what refers to deleted rows, and so on; return the ids that were added for each reference: those of
-- a table at the first reference that cascades to it.
local function cascade(references)
    local waiting, added, out = {}, {}, {}
    for _, draft in ipairs(order) do
        local ids = {}
        for id in pairs(draft.deleted) do
            ids[#ids + 1] = id
        end
        waiting[#waiting + 1] = {draft.t, ids}
    end
    while #waiting > 0 do
        local t, ids = unpack(table.remove(waiting))
        for _, reference in ipairs(#ids > 0 and references or {}) do
            if reference[4] == 'cascade' and reference[3] == t.name then
                local child, more = draft_of(reference[1]), {}
                local column, all = child.t.column[reference[2]], added[child.t.name] or {}
                for _, id in ipairs(members(equal(column, as_values(t, ids, column)))) do
                    if not child.deleted[id] then
                        child.deleted[id] = true
                        more[#more + 1], all[#all + 1] = id, id
                    end
                end
                added[child.t.name] = all
                waiting[#waiting + 1] = {child.t, more}
            end
        end
    end
    for i, reference in ipairs(references) do
        local name, ids = reference[1][1], nil
        if reference[4] == 'cascade' then
            ids, added[name] = added[name], nil
        end
        out[i] = ids and listed(drafts[name].t, store(ids)) or {}
    end
    return out
end

-- Return the rows that will have one of `values` in a column: value -> ids.
local function referring(child, column, values)
    local found, rest = {}, {}
    for _, value in ipairs(values) do
        found[value] = {}
    end
    local function add(id, row)
        local ids = row[column.place] and found[key_value(column, row[column.place])]
        if ids then
            ids[#ids + 1] = id
        end
    end
    for _, id in ipairs(child.touched) do
        if child.after[id] then
            add(id, child.after[id])
        end
    end
    for _, id in ipairs(members(equal(column, values))) do
        if child.after[id] == nil and not child.deleted[id] then
            rest[#rest + 1] = id
        end
    end
    look_up(child, rest)
    for _, id in ipairs(rest) do
        add(id, before(child, id))
    end
    return found
end

-- Bring ids into the order that the table will have after the commit.
local function arranged(draft, ids)
    local less, scores = LESS[draft.t.type], {}
    for _, id in ipairs(ids) do
        scores[id] = draft.t.order == 'id' and 0 or tonumber(draft.scores[id] or stored(draft, id))
    end
    table.sort(ids, function(a, b)
        if scores[a] ~= scores[b] then
            return scores[a] < scores[b]
        end
        return less(a, b)
    end)
    return ids
end

-- Make one value of a row missing.
local function clear(draft, id, place)
    local old, row = current(draft, id), {}
    for n = 1, #draft.t.names do
        row[n] = n ~= place and old[n]
    end
    set_after(draft, id, row)
end

local function hold(number, parent, child, column, found, out)
    local ids = {}
    for id in pairs(parent.deleted) do
        local by = found[convert(id, parent.t.type, column.type)]
        if by and #by > 0 then
            ids[#ids + 1] = id
        end
    end
    for _, id in ipairs(#ids > 0 and listed(parent.t, store(ids)) or {}) do
        for _, by in ipairs(arranged(child, found[convert(id, parent.t.type, column.type)])) do
            out[#out + 1] = {format('%d', number - 1), id, by}
        end
    end
end

-- Deal with the rows that would refer to a deleted row: clear their column, or return what holds the commit.
local function dangling(references)
    local held = {}
    for number, reference in ipairs(references) do
        local parent, gone = drafts[reference[3]], {}
        for id in pairs(reference[4] ~= 'cascade' and parent and parent.deleted or {}) do
            if not exists(parent, id) then
                gone[#gone + 1] = id
            end
        end
        if #gone > 0 then
            local child = draft_of(reference[1])
            local column = child.t.column[reference[2]]
            local found = referring(child, column, as_values(parent.t, gone, column))
            if reference[4] == 'restrict' then
                hold(number, parent, child, column, found, held)
            else
                for _, ids in pairs(found) do
                    for _, id in ipairs(ids) do
                        clear(child, id, column.place)
                    end
                end
            end
        end
    end
    return held
end
