-- ts.lua: a series: a sorted set of members `<time>:<value>`, whose score is the time, one for each time.

local function at(key, time)
    return call('ZRANGEBYSCORE', key, time, time)[1]
end

kinds.ts = {
    -- a  {the first time, {time, member, time, member, ...}}, each time once
    add = function(key, a)
        local points, last = a[2], call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
        last = tonumber(last or '-inf')
        if tonumber(a[1]) <= last then
            for i = 1, #points, 2 do
                if tonumber(points[i]) <= last then
                    call('ZREMRANGEBYSCORE', key, points[i], points[i])
                end
            end
        end
        send('ZADD', key, points, 2)
    end,
    remove = function(key, a)
        for i = 1, #a do
            call('ZREMRANGEBYSCORE', key, a[i], a[i])
        end
    end,
    items = function(key) return call('ZRANGE', key, 0, -1, 'WITHSCORES') end,
    pop = function(key, a)
        local member = at(key, a[1])
        if member then
            call('ZREM', key, member)
        end
        return {member}
    end,
    rank = function(key, a)
        local member = at(key, a[1])
        return member and call('ZRANK', key, member)
    end,
    pop_range = function(key, a)
        local found = call('ZRANGEBYSCORE', key, a[1], a[2], 'WITHSCORES')
        call('ZREMRANGEBYSCORE', key, a[1], a[2])
        return found
    end,
    ipop_range = function(key, a)
        local found = call('ZRANGE', key, a[1], a[2], 'WITHSCORES')
        call('ZREMRANGEBYRANK', key, a[1], a[2])
        return found
    end,
}
