-- updates.lua: what a commit makes of rows that it changes where they stand; mirrors memory/updates.py.
--
-- update   {table, plan, sets, column of the version or nil, score or nil}
-- set      {column, '1' if it is required, low or nil, high or nil, kind, ...}: 'value' and a text or nil; 'copy' and
--          a name; or 'program', the program and the names of its fields
-- score    {column, factor, otherwise}

local EXACT = 2 ^ 53

-- Return a value of the row as a program reads it, or nil.
local function operand(t, id, row, name)
    local column = t.column[name]
    local value
    if name == t.pk then
        value = id
    else
        value = row[column.place]
    end
    return value and tonumber(value) or nil
end

-- Return the text of a number that a program left, or nil and what a clash tells of it.
local function computed(column, n)
    if n ~= n then
        return nil, false
    elseif column.type == 'float' then
        return float_text(n)
    elseif n < -EXACT or n > EXACT or floor(n) ~= n then
        return nil, float_text(n)
    end
    return int_text(n)
end

-- Return a function that gives the text of a column, false for a missing value, or nil and what a clash tells.
local function source(t, column, set)
    local kind, argument = set[5], set[6]
    if kind == 'value' then
        return function() return argument or false end
    elseif kind == 'copy' then
        return function(id, row)
            local text = id
            if argument ~= t.pk then
                text = row[t.column[argument].place]
            end
            if text and column.index == 'range' and column.type == 'int' and #text > 15 then
                local n = tonumber(text)
                if int_text(n) ~= text or n < -EXACT or n > EXACT then
                    return nil, float_text(n)
                end
            end
            return text or false
        end
    end
    local steps, names = compiled(argument), set[7]
    return function(id, row)
        local values = {}
        for _, name in ipairs(names) do
            values[name] = operand(t, id, row, name)
            if not values[name] then
                return false
            end
        end
        return computed(column, left(steps, values))
    end
end

-- Return a function as source does, which also holds values to what the set demands.
local function assignment(t, set)
    local column = t.columns[tonumber(set[1])]
    local required, low, high = set[2] == '1', tonumber(set[3] or '-inf'), tonumber(set[4] or 'inf')
    local value_of, bounded = source(t, column, set), set[3] and set[5] ~= 'value'
    return column, function(id, row)
        local text, told = value_of(id, row)
        if text and bounded and (tonumber(text) < low or tonumber(text) > high) then
            return nil, float_text(tonumber(text))
        elseif text ~= nil and required and (not text or text == '') then
            return nil, false
        end
        return text, told
    end
end

local function score_of(row, score)
    local value = row[tonumber(score[1])]
    if not value then
        return score[3]
    end
    return format('%.17g', tonumber(score[2]) * tonumber(value))
end

local function update_row(draft, id, update, sets, number, place, clashes)
    local old, row = current(draft, id), {}
    for n = 1, #draft.t.names do
        row[n] = old[n] or false
    end
    for _, set in ipairs(sets) do
        local column, value_of = set[1], set[2]
        local text, told = value_of(id, old)
        if text == nil then
            clashes[#clashes + 1] = {
                place = column.place - 0.5, save = number, change = place,
                clash = {'value', column.name, told, false, false, id},
            }
        else
            row[column.place] = text
        end
    end
    if update[4] then
        local version = tonumber(update[4])
        row[version] = int_text((tonumber(old[version] or '0') or 0) + 1)
    end
    set_after(draft, id, row)
    if update[5] then
        draft.scores[id] = score_of(row, update[5])
    end
end

-- Let the updates act on their drafts, in order; return the number of rows of each.
local function update_all(updates, number, clashes)
    local counts = {}
    for i, update in ipairs(updates) do
        local draft, sets, place = draft_of(update[1]), {}, 0
        for n, set in ipairs(update[3]) do
            sets[n] = {assignment(draft.t, set)}
        end
        for _, id in ipairs(listed(draft.t, evaluate(draft.t, update[2]))) do
            if exists(draft, id) then
                place = place + 1
                update_row(draft, id, update, sets, number + i, place, clashes)
                local mark = #draft.marks + 1
                draft.author[id], draft.marks[mark] = mark, {number + i, place, id}
            end
        end
        counts[i] = format('%d', place)
    end
    return counts
end
