-- hashtable.lua: a map. What is added comes flat: key, value, key, value, ...

kinds.hashtable = {
    add = function(key, a) send('HSET', key, a, 2) end,
    remove = function(key, a) send('HDEL', key, a) end,
    items = function(key) return call('HGETALL', key) end,
    pop = function(key, a)
        local value = call('HGET', key, a[1])
        call('HDEL', key, a[1])
        return value
    end,
}
