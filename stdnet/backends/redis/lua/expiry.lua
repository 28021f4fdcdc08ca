-- expiry.lua: rows that have a deadline. Before anybody looks at a table, `open` of lib.lua has those removed that are
-- due.
--
-- Deadlines are milliseconds of the server's clock. It stands still while a script runs.

expiry = {}

local verify_due, write_due = verify, write -- alongside.lua makes more of them, for a commit
local make_quiet, make_loud = quiet, loud
local muted, clock = false, nil

quiet = function()
    make_quiet()
    muted = true
end

loud = function()
    make_loud()
    muted = false
end

local function now()
    if not clock then
        redis.replicate_commands()
        local time = call('TIME')
        clock = time[1] * 1000 + time[2] / 1000
    end
    return clock
end

local function note_due(t, w, ids)
    local names, columns, _, endings = {}, {}, known(t)
    local function ask(some)
        for _, column in ipairs(some) do
            columns[#columns + 1], names[#names + 1] = column, column.name
        end
    end
    ask(t.indexed)
    for _, combined in ipairs(t.together) do
        ask(combined.columns)
    end
    for _, id in ipairs(ids) do
        local row, values = {}, #names > 0 and hmget(obj_key(t, id), names) or {}
        for i, column in ipairs(columns) do
            row[column.place] = values[i]
        end
        note(t, w, id, row, false)
        name_structures(obj_key(t, id), endings, w.unlink, w.unlink)
    end
end

-- Remove rows that are due. If there may be more than one call should remove, it ends here, to be called again.
function expiry.purge(t)
    local due = redis.pcall('ZRANGEBYSCORE', t.ttl, '-inf', format('%.17g', now()), 'LIMIT', 0, CHUNK)
    if due.err then
        fail('type', t.ttl)
    elseif #due == 0 then
        return
    end
    local w = changes()
    note_due(t, w, due)
    verify_due(w)
    if muted then
        redis.set_repl(redis.REPL_ALL)
    end
    write_due(w)
    if call('EXISTS', t.ids, t.counter) == 0 then
        call('HDEL', TABLES, t.name)
    end
    if muted then
        redis.set_repl(redis.REPL_NONE)
    end
    if #due == CHUNK then
        fail('again', t.name)
    end
end

-- Work out the deadline of a row that a change makes of the row `source`, if of any: text, or false for none.
function expiry.set(draft, id, source, seconds)
    local deadlines = draft.deadlines or {}
    draft.deadlines = deadlines
    if seconds then
        deadlines[id] = seconds ~= 'inf' and format('%.17g', now() + 1000 * tonumber(seconds))
    elseif not source then
        deadlines[id] = false
    elseif deadlines[source] == nil then
        deadlines[id] = call('ZSCORE', draft.t.ttl, source)
    else
        deadlines[id] = deadlines[source]
    end
end

-- Collect what the deadlines of a draft mean for keys.
function expiry.note(draft, w)
    for id, deadline in pairs(draft.deadlines or {}) do
        if draft.after[id] and deadline then
            note_item(w.put, draft.t.ttl, deadline, id)
        elseif draft.after[id] then
            note_item(w.drop, draft.t.ttl, id)
        end
    end
end
