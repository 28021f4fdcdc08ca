-- known.lua: what the register of the namespace tells of the structures of a table.
--
-- Its fields are `obj:<size of name>:<name><table>` for structures of rows and, alike, `struct:...` for one of the
-- whole table. A value is lines: what keys of the structure end in, besides the empty text.

-- Return what keys of structures end in: a name and, if a structure has more keys than one, others.
local function endings(name, value)
    local out = {':' .. name}
    for suffix in string.gmatch(value, '[^\n]+') do
        out[#out + 1] = ':' .. name .. suffix
    end
    return out
end

-- Return the fields of a table, the endings of structures of its rows, and the keys of those of the whole table.
local function known(t)
    local entries, fields, rows, whole = call('HGETALL', namespace .. ':structures'), {}, {}, {}
    for i = 1, #entries, 2 do
        local level, size, rest = string.match(entries[i], '^(%a+):(%d+):(.*)$')
        if level and sub(rest, size + 1) == t.name then
            local group = level == 'obj' and rows or whole
            fields[#fields + 1], group[#group + 1] = entries[i], endings(sub(rest, 1, size), entries[i + 1])
        end
    end
    return fields, rows, whole
end

-- Add the keys of structures to `names`, and those that are only parts of a structure to `parts`.
local function name_structures(stem, groups, names, parts)
    for _, group in ipairs(groups) do
        for i, ending in ipairs(group) do
            local keys = i == 1 and names or parts
            keys[#keys + 1] = stem .. ending
        end
    end
end
