-- contents.lua: what is in the structures of rows.
--
-- structures  {{ending of their keys, kind, type}, ...}

-- Return an array of contents for each of the structures, by row.
local function contents(t, ids, structures, limit)
    local out = {}
    for n, structure in ipairs(structures) do
        local ending, items, found = structure[1], kinds[structure[2]].items, {}
        for i = 1, math.min(#ids, limit) do
            local key = obj_key(t, ids[i]) .. ending
            typed(key, structure[3])
            found[i] = items(key, {}) or false
        end
        out[n] = found
    end
    return out
end
