-- commit.lua: evaluate, check, apply; mirrors memory/commit.py.
--
-- request  {token or nil, deletes, saves, references or nil, calls or none}; what references and calls are is said in
--          references.lua and alongside.lua
-- delete   {table, plan}
-- save     {table, count, ids, previous, scores or nil, runs, refs or none}: arrays of `count` texts or nils
-- run      {count, places or nil, columns}: consecutive changes of the same fields, one array for each column
-- refs     {change, column of its run, save, change, ...}: by change, columns that take the id of an earlier change
-- reply    {'committed', ids, scores, deleted, types of ids, types of deleted} or {'refused', clashes, held, gone}
--          with references also {'committed', ..., cascaded, types of cascaded}
-- clash    {reason, save, change, field, value, holder or nil}
-- held     {reference, id, by}
-- gone     places of calls

local TOKEN = namespace .. ':commit:'
local KEPT = 600000 -- milliseconds
local HEAP = collectgarbage('count') -- kilobytes

local token, deletes, saves, references, calls = unpack(request, 1, 5)

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

-- Let one change act on the draft; return its id, or nil and a clash.
local function work_out(draft, id, previous, given, places, values, mark)
    local source = previous or id
    local base = exists(draft, source)
    if previous then
        if not base and places and (places.leaves or #places < #draft.t.names) then
            return nil, {'gone', draft.t.pk, previous}
        elseif base and id ~= previous and exists(draft, id) then
            return nil, {'id', draft.t.pk, id, id}
        end
    end
    local row = values
    if places then
        row = {}
        local old = previous and base and current(draft, previous) or {}
        for n = 1, #draft.t.names do
            row[n] = old[n] or false
        end
        for i, place in ipairs(places) do
            if type(place) == 'number' then
                row[place] = values[i]
            end
        end
        if places.leaves then
            patch(row, places, values)
        end
    end
    local score = rescored(draft, id, base and source, given)
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
    local refs, at, known = save[7], 1, {}
    allotted[number] = out
    for i = 1, count do
        known[#known + 1] = ids[i]
        known[#known + 1] = previous[i]
    end
    look_up(draft, known)
    for _, run in ipairs(save[6]) do
        local places, columns = run[2], run[3]
        if places then
            parsed(places)
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
            local id = allot(draft, ids[change])
            local done, clash = work_out(draft, id, previous[change], scores and scores[change], places, values, mark)
            if clash then
                clashes[#clashes + 1] = {place = 0, save = number, change = change, clash = clash}
            else
                draft.marks[mark] = {number, change, id}
            end
            out[change] = id
        end
    end
end

-- Compare the unique values of the rows that were touched with each other and with all other rows.
local function unique_clashes(draft, clashes)
    for _, column in ipairs(draft.t.indexed) do
        if column.unique then
            local values, marks, claims = {}, {}, {}
            for mark = 1, #draft.marks do
                local id = draft.marks[mark][3]
                local row = draft.author[id] == mark and draft.after[id]
                local value = row and row[column.place]
                if value and value ~= '' then
                    values[#values + 1], marks[#marks + 1] = key_value(column, value), draft.marks[mark]
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
    end
end

local function check()
    local ids, clashes = {}, {}
    for number, save in ipairs(saves) do
        save_all(number, save, ids, clashes)
    end
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
    return ids, clashes
end

local function refused(clashes, held, gone)
    local out = {}
    for i, found in ipairs(clashes) do
        local clash = found.clash
        out[i] = {clash[1], format('%d', found.save - 1), format('%d', found.change - 1), clash[2], clash[3], clash[4]}
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
        expect('HLEN', TABLES)
    end
end

local function committed(ids, deleted, cascaded)
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
    if references then
        reply[7], reply[8] = cascaded, {}
        for i, reference in ipairs(references) do
            reply[8][i] = reference[1][3]
        end
    end
    return reply
end

local function apply(ids, deleted, cascaded)
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
    local reply = committed(ids, deleted, cascaded)
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
    local ids, clashes = check()
    local held = references and dangling(references)
    local gone = calls and orphans()
    if #clashes > 0 or held and #held > 0 or gone and #gone > 0 then
        return refused(clashes, held, gone)
    end
    local reply = apply(ids, deleted, cascaded)
    -- free what it took now; else the small calls that follow would do so, bit by bit
    if #ARGV[2] > 100000 or collectgarbage('count') - HEAP > 2000 then
        request, deletes, saves, references, calls, drafts, order = nil
        collectgarbage()
    end
    return reply
end)
