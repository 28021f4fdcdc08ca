-- set.lua: a set.

local function combined(command)
    return function(key, a) return call(command, key, unpack(a)) end
end

kinds.set = {
    add = function(key, a) send('SADD', key, a) end,
    remove = function(key, a) send('SREM', key, a) end,
    items = function(key) return call('SMEMBERS', key) end,
    union = combined('SUNION'),
    intersection = combined('SINTER'),
    difference = combined('SDIFF'),
}
