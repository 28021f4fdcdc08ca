-- drafts.lua: what a commit makes of the tables that it touches, as far as it has been worked out; nothing is written.

local drafts, order = {}, {} -- by name, and in the order of their first use

-- draft: scores and rows of the state before (false: no such row); deleted; after: rows as they will be (false: gone);
-- author: id -> number of the change that answers for it, marks: those numbers -> {save, change, id}
-- moves: {from, to}, ...
local function draft_of(desc)
    local draft = drafts[desc[1]]
    if not draft then
        local t = open(desc)
        local counter = t.auto and call('GET', t.counter)
        draft = {
            t = t, counter = counter and tonumber(counter), counted = counter and tonumber(counter),
            stored = {}, rows = {}, deleted = {}, after = {}, touched = {}, scores = {},
            author = {}, marks = {}, pending = {}, moves = {},
        }
        drafts[t.name] = draft
        order[#order + 1] = draft
    end
    return draft
end

local function look_up(draft, ids)
    local unknown = {}
    for i = 1, #ids do
        if draft.stored[ids[i]] == nil then
            unknown[#unknown + 1] = ids[i]
        end
    end
    local scores = gather('ZMSCORE', draft.t.ids, unknown)
    for i = 1, #unknown do
        draft.stored[unknown[i]] = scores[i]
    end
end

-- Return the score of a row of the state before, or false.
local function stored(draft, id)
    local score = draft.stored[id]
    if score == nil then
        score = call('ZSCORE', draft.t.ids, id)
        draft.stored[id] = score
    end
    return score
end

local function before(draft, id)
    local row = draft.rows[id]
    if row == nil then
        row = stored(draft, id) and load(draft.t, id)
        draft.rows[id] = row
    end
    return row
end

local function exists(draft, id)
    local row = draft.after[id]
    if row ~= nil then
        return row ~= false
    end
    return not draft.deleted[id] and stored(draft, id) ~= false
end

local function current(draft, id)
    local row = draft.after[id]
    if row ~= nil then
        return row
    end
    return not draft.deleted[id] and before(draft, id)
end

local function set_after(draft, id, row)
    if draft.after[id] == nil then
        draft.touched[#draft.touched + 1] = id
    end
    draft.after[id] = row
end
