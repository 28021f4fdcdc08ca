-- paths.lua: what of a select reaches other tables: orders along a path, and rows that are brought along.
--
-- path     {{column, table}, ...}: the value of each column is the id of a row of the table
-- related  {{field, table, of, fields, related or none}, ...}
-- reply    {{ids, rows, related or none}, ...}

-- Return what leads from an id at step n of a path, as a value of the type `kind`, to the value of `field` at its end,
-- or to false. What each id leads to is looked up once.
local function follower(path, n, kind, field)
    local t, known, deeper, name = open(path[n][2]), {}, nil, field
    local read, of
    if not path[n + 1] then
        read, of = reader(t, field)
    else
        name = path[n + 1][1]
        deeper = follower(path, n + 1, t.column[name].type, field)
    end
    local function look_up(id)
        if name == t.pk then
            return call('ZSCORE', t.ids, id) and id
        end
        if read then
            local value = read(id)
            return not (of == 'leaf' and value == 'b') and value -- 'b' is a leaf that is null
        end
        local value = call('HGET', obj_key(t, id), name)
        return value and deeper(value)
    end
    return function(value)
        if known[value] == nil then
            local id = convert(value, kind, t.type)
            known[value] = id and look_up(id) or false
        end
        return known[value]
    end
end

local function by_path(t, set, field, path)
    local first, last = t.column[path[1][1]], open(path[#path][2])
    local _, kind = reader(last, field)
    local follow, ids, values, blank = follower(path, 1, first.type, field), members(set), {}, missing(kind)
    for i, id in ipairs(ids) do
        local value = call('HGET', obj_key(t, id), first.name)
        values[i] = value and follow(value) or blank
    end
    return by_values(ids, values, kind)
end

-- Return what is to be brought along with the rows `ids`.
local function all_brought(t, ids, related, limit)
    local out = {}
    for i, each in ipairs(related) do
        local other = open(each[2])
        local found = listed(other, joined(other, each[3], t, ids, each[1]))
        local deeper = each[5] and all_brought(other, found, each[5], limit)
        out[i] = {found, taken(other, found, each[4], limit), deeper}
    end
    return out
end
