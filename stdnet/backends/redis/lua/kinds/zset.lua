-- zset.lua: a sorted set. What is added comes flat: score, value, score, value, ...

-- Of three sets and more the server would add scores in an order of its own, and sums of floats depend on it.
local function combined(command, store)
    return function(key, a)
        if #a == 0 then
            return call('ZRANGE', key, 0, -1, 'WITHSCORES')
        end
        for i = 1, #a - 1 do
            if i == 1 then
                quiet()
            end
            local result = temp()
            call(store, result, 2, key, a[i])
            key = result
        end
        return call(command, 2, key, a[#a], 'WITHSCORES')
    end
end

kinds.zset = {
    add = function(key, a) send('ZADD', key, a, 2) end,
    remove = function(key, a) send('ZREM', key, a) end,
    items = function(key) return call('ZRANGE', key, 0, -1, 'WITHSCORES') end,
    pop_range = function(key, a)
        local found = call('ZRANGEBYSCORE', key, a[1], a[2], 'WITHSCORES')
        call('ZREMRANGEBYSCORE', key, a[1], a[2])
        return found
    end,
    ipop_range = function(key, a)
        local start, stop, desc = a[1], a[2], a[3] == '1'
        local found = call(desc and 'ZREVRANGE' or 'ZRANGE', key, start, stop, 'WITHSCORES')
        if desc then
            start, stop = format('%.0f', -1 - stop), format('%.0f', -1 - start)
        end
        call('ZREMRANGEBYRANK', key, start, stop)
        return found
    end,
    union = combined('ZUNION', 'ZUNIONSTORE'),
    intersection = combined('ZINTER', 'ZINTERSTORE'),
    difference = combined('ZDIFF', 'ZDIFFSTORE'),
}
