-- commit.lua: evaluate, check, apply; mirrors memory/commit.py.
--
-- request  {token or nil, deletes, saves, references or nil, calls or nil, updates or none}; what references, calls and
--          updates are is said in references.lua, alongside.lua and updates.lua
-- delete   {table, plan}
-- save     {table, count, ids, previous, scores or nil, runs, refs or nil, versions or nil, seconds or none}: arrays
--          of `count` texts or nils
-- run      {count, places or nil, columns, changed or nil, '1' if the score is kept or none}: consecutive changes of
--          the same fields, one array for each column; changed are those columns that are for a row that exists
-- refs     {change, column of its run, save, change, ...}: by change, columns that take the id of an earlier change
-- versions {change, column, value or nil, ...}: by change, what the row must have in the column
-- reply    {'committed', ids, scores, deleted, types of ids, types of deleted} or {'refused', clashes, held, gone}
--          with references or updates also {'committed', ..., cascaded, types of cascaded, numbers of updated rows}
-- clash    {reason, save, change, field, value, holder, row, id}: the last four or nil
-- held     {reference, id, by}
-- gone     places of calls

local TOKEN = namespace .. ':commit:'
local KEPT = 600000 -- milliseconds
local HEAP = collectgarbage('count') -- kilobytes

local token, deletes, saves, references, calls, updates = unpack(request, 1, 6)

local function evaluate_deletes()
    local found = {}
    for i, delete in ipairs(deletes) do
        local draft = draft_of(delete[1])
        found[i] = listed(draft.t, evaluate(draft.t, delete[2]))
    end
    for i, delete in ipairs(deletes) do
        local draft = draft_of(delete[1])
        for _, id in ipairs(found[i]) do
            draft.deleted[id] = true
        end
    end
    return found
end

local function allot(draft, id)
    if not id then
        draft.counter = (draft.counter or 0) + 1
        id = format('%.0f', draft.counter)
        draft.pending[id] = true
    elseif draft.t.auto then
        draft.counter = math.max(tonumber(id), draft.counter or 0)
    end
    return id
end

local function rescored(draft, id, source, given)
    local t = draft.t
    if t.order == 'id' then
        return t.numeric and id or '0'
    end
    local old = '0'
    if source then
        old = draft.scores[source] or stored(draft, source)
    end
    if not given then
        return old
    elseif t.order == 'score' then
        return given
    end
    local sum = tonumber(old) + tonumber(given)
    if sum ~= sum then
        fail('score', t.name)
    end
    return format('%.17g', sum)
end

-- Return the places of a run as numbers, and those of leaves, `place:path`, as {place, path}.
local function parsed(places)
    for i, text in ipairs(places) do
        places[i] = tonumber(text)
        if not places[i] then
            local place, path = string.match(text, '^(%d+):(.*)$')
            places[i] = {tonumber(place), path}
            places.leaves = true
        end
    end
end

-- Set or remove leaves of the maps of a row, each map decoded once.
local function patch(row, places, values)
    local maps = {}
    for i, place in ipairs(places) do
        if type(place) == 'table' then
            local n, text = place[1], row[place[1]]
            maps[n] = maps[n] or text and text ~= '' and cjson.decode(text) or {}
            maps[n][place[2]] = values[i] or nil
        end
    end
    for n, map in pairs(maps) do
        row[n] = next(map) and cjson.encode(map) or ''
    end
end

-- Give a row values at places, some of them perhaps of leaves.
local function put(row, places, values)
    for i, place in ipairs(places) do
        if type(place) == 'number' then
            row[place] = values[i]
        end
    end
    if places.leaves then
        patch(row, places, values)
    end
end

-- Return a clash if a row is not of the version that a change says: the place of a column and a value, or false.
local function is_stale(draft, previous, base, version)
    local row = base and current(draft, previous)
    local column, value = draft.t.columns[version[1]], row and row[version[1]] or false
    if row and key_value(column, value) == key_value(column, version[2]) then
        return nil
    end
    return {'stale', column.name, value, false, row}
end

-- Return a copy of a row that exists.
local function copied(draft, id)
    local old, size = current(draft, id), #draft.t.names
    if size <= CHUNK then
        return {unpack(old, 1, size)}
    end
    local row = {}
    for n = 1, size do
        row[n] = old[n]
    end
    return row
end

-- Let one change act on the draft; return its id, or nil and a clash.
local function work_out(draft, id, previous, given, run, values, mark, version, seconds)
    local source, places, changed = previous or id, run[2], run[4]
    local base = exists(draft, source)
    local narrow = previous and base and changed
    if previous then
        local stale = version and is_stale(draft, previous, base, version)
        if stale then
            return nil, stale
        elseif not base and places and (places.leaves or #places < #draft.t.names) then
            return nil, {'gone', draft.t.pk, previous}
        elseif base and id ~= previous and exists(draft, id) then
            return nil, {'id', draft.t.pk, id, id}
        end
    end
    local row = values
    if narrow then
        row = copied(draft, previous)
        local some, given = {leaves = places and places.leaves}, {}
        for i = 1, #changed do
            local column = changed[i]
            some[i], given[i] = places and places[column] or column, values[column]
        end
        put(row, some, given)
    elseif places then
        row = {}
        local old = previous and base and current(draft, previous) or {}
        for n = 1, #draft.t.names do
            row[n] = old[n] or false
        end
        put(row, places, values)
    end
    local kept = previous and base and run[5] == '1'
    local score = rescored(draft, id, base and source, not kept and given)
    if draft.t.ttl then
        expiry.set(draft, id, base and source, seconds)
    end
    if previous and base and id ~= previous then
        before(draft, previous)
        set_after(draft, previous, false)
        draft.moves[#draft.moves + 1] = {previous, id}
        draft.author[previous] = nil
    end
    draft.scores[id] = score
    set_after(draft, id, row)
    draft.author[id] = mark
    return id
end

-- Let the changes of a save act on its draft, and add their ids to `allotted`.
local function save_all(number, save, allotted, clashes)
    local draft, count = draft_of(save[1]), tonumber(save[2])
    local ids, previous, scores, out, change = save[3], save[4], save[5], {}, 0
    local refs, at, known, versions, seen, expires = save[7], 1, {}, save[8], 1, save[9]
    allotted[number] = out
    for i = 1, count do
        known[#known + 1] = ids[i]
        known[#known + 1] = previous[i]
    end
    look_up(draft, known)
    for _, run in ipairs(save[6]) do
        local columns = run[3]
        if run[2] then
            parsed(run[2])
        end
        for i = 1, #(run[4] or {}) do
            run[4][i] = tonumber(run[4][i])
        end
        for i = 1, tonumber(run[1]) do
            change = change + 1
            local values, mark = {}, #draft.marks + 1
            for n, column in ipairs(columns) do
                values[n] = column[i] or false
            end
            while refs and refs[at] and tonumber(refs[at]) == change do
                values[tonumber(refs[at + 1])] = allotted[tonumber(refs[at + 2])][tonumber(refs[at + 3])]
                at = at + 4
            end
            local id, version = allot(draft, ids[change]), nil
            if versions and tonumber(versions[seen]) == change then
                version, seen = {tonumber(versions[seen + 1]), versions[seen + 2] or false}, seen + 3
            end
            local given, seconds = scores and scores[change], expires and expires[change]
            local done, clash = work_out(draft, id, previous[change], given, run, values, mark, version, seconds)
            if clash then
                clashes[#clashes + 1] = {place = 0, save = number, change = change, clash = clash}
            else
                draft.marks[mark] = {number, change, id}
            end
            out[change] = id
        end
    end
end

local function unique_value(column, row)
    local value = row[column.place]
    return value and value ~= '' and key_value(column, value)
end

-- Compare the values of a unique column, or combination, of the rows that were touched with each other and with all
-- other rows; value_of(column, row) gives them, or false.
local function compare(draft, column, value_of, clashes)
    local values, marks, claims = {}, {}, {}
    for mark = 1, #draft.marks do
        local id = draft.marks[mark][3]
        local row = draft.author[id] == mark and draft.after[id]
        local value = row and value_of(column, row)
        if value then
            values[#values + 1], marks[#marks + 1] = value, draft.marks[mark]
        end
    end
    local holders = gather('HMGET', column.uni, values)
    for i, value in ipairs(values) do
        local mark, holder = marks[i], claims[value]
        if not holder then
            claims[value] = mark[3]
            holder = holders[i]
            if holder and (draft.after[holder] ~= nil or draft.deleted[holder]) then
                holder = nil
            end
        end
        if holder then
            local shown = not draft.pending[holder] and holder or false
            local told = draft.after[mark[3]][column.place]
            clashes[#clashes + 1] = {
                place = column.place, save = mark[1], change = mark[2],
                clash = {'unique', column.name, told, shown},
            }
        end
    end
end

local function unique_clashes(draft, clashes)
    for _, column in ipairs(draft.t.indexed) do
        if column.unique then
            compare(draft, column, unique_value, clashes)
        end
    end
    for _, combined in ipairs(draft.t.together) do
        compare(draft, combined, combination, clashes)
    end
end

local function check()
    local ids, clashes = {}, {}
    for number, save in ipairs(saves) do
        save_all(number, save, ids, clashes)
    end
    local updated = updates and update_all(updates, #saves, clashes)
    for _, draft in ipairs(order) do
        unique_clashes(draft, clashes)
    end
    table.sort(clashes, function(a, b)
        if a.save ~= b.save then
            return a.save < b.save
        elseif a.change ~= b.change then
            return a.change < b.change
        end
        return a.place < b.place
    end)
    return ids, clashes, updated
end

local function refused(clashes, held, gone)
    local out = {}
    for i, found in ipairs(clashes) do
        local clash = found.clash
        out[i] = {clash[1], format('%d', found.save - 1), format('%d', found.change - 1), clash[2]}
        for n = 3, 6 do
            out[i][n + 2] = clash[n] or false
        end
    end
    return {'refused', out, held or {}, gone}
end

local function noted(w)
    for _, draft in ipairs(order) do
        for id in pairs(draft.deleted) do
            if draft.after[id] == nil then
                note(draft.t, w, id, before(draft, id), false)
            end
        end
        for _, id in ipairs(draft.touched) do
            local old, new = before(draft, id), draft.after[id]
            if old or new then
                local score = draft.scores[id]
                if old and score == draft.stored[id] then
                    score = nil
                end
                note(draft.t, w, id, old, new, score)
            end
        end
        if draft.t.ttl then
            expiry.note(draft, w)
        end
        expect('HLEN', TABLES)
    end
end

local function committed(ids, deleted, cascaded, updated)
    local scores, types, gone = {}, {}, {}
    for i, save in ipairs(saves) do
        local draft = drafts[save[1][1]]
        scores[i], types[i] = {}, draft.t.type
        if draft.t.order == 'count' then
            for j, id in ipairs(ids[i]) do
                scores[i][j] = draft.scores[id]
            end
        end
    end
    for i, delete in ipairs(deletes) do
        gone[i] = delete[1][3]
    end
    local reply = {'committed', ids, scores, deleted, types, gone}
    if references or updates then
        reply[7], reply[8], reply[9] = cascaded or {}, {}, updated or {}
        for i, reference in ipairs(references or {}) do
            reply[8][i] = reference[1][3]
        end
    end
    return reply
end

local function apply(ids, deleted, cascaded, updated)
    local w = changes()
    noted(w)
    verify(w)
    loud()
    write(w, ids)
    for _, draft in ipairs(order) do
        if draft.t.auto and draft.counter ~= draft.counted then
            call('SET', draft.t.counter, format('%.0f', draft.counter))
        end
        register(draft.t)
    end
    local reply = committed(ids, deleted, cascaded, updated)
    if token then
        call('SET', TOKEN .. token, cmsgpack.pack(reply), 'PX', KEPT)
    end
    return reply
end

return run(function()
    local known = token and call('GET', TOKEN .. token)
    if known == '' then
        fail('token', token)
    elseif known then
        return cmsgpack.unpack(known)
    end
    quiet()
    local deleted = evaluate_deletes()
    local cascaded = references and cascade(references)
    local ids, clashes, updated = check()
    local held = references and dangling(references)
    local gone = calls and orphans()
    if #clashes > 0 or held and #held > 0 or gone and #gone > 0 then
        return refused(clashes, held, gone)
    end
    local reply = apply(ids, deleted, cascaded, updated)
    -- free what it took now; else the small calls that follow would do so, bit by bit
    if #ARGV[2] > 100000 or collectgarbage('count') - HEAP > 2000 then
        request, deletes, saves, references, calls, updates, drafts, order = nil
        collectgarbage()
    end
    return reply
end)
