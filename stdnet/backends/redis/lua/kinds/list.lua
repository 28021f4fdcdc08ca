-- list.lua: a list. LSET fails at a place that is not there, and at nothing else.

kinds.list = {
    push_back = function(key, a) send('RPUSH', key, a) end,
    push_front = function(key, a) send('LPUSH', key, a) end,
    items = function(key) return call('LRANGE', key, 0, -1) end,
    set = function(key, a) return redis.pcall('LSET', key, a[1], a[2]).err and 0 or 1 end,
}
