-- kinds.lua: what the operations of structures are performed by. The files of kinds/ follow, those that are needed.

local kinds = {} -- name -> operation -> function of a key and an array of arguments

-- What a structure has, whatever its kind: the keys of one are gone as a whole.
local function perform(kind, operation, key, arguments)
    if operation == 'delete' then
        return call('UNLINK', unpack(arguments)) and false
    end
    return kinds[kind][operation](key, arguments)
end

-- Fail unless a key holds a type, or nothing.
local function typed(key, wanted)
    local found = call('TYPE', key).ok
    if found ~= wanted and found ~= 'none' and wanted ~= '' then
        fail('type', key)
    end
end

-- Let the register of the namespace know where structures are: field, value, field, value, ...
local function enrol(entries)
    for i = 1, #entries, 2 do
        if call('HGET', namespace .. ':structures', entries[i]) ~= entries[i + 1] then
            call('HSET', namespace .. ':structures', entries[i], entries[i + 1])
        end
    end
end
