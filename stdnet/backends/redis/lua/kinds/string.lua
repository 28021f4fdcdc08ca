-- string.lua: bytes. An empty text would make an empty key, so it is not appended.

kinds.string = {
    append = function(key, a)
        local text = table.concat(a)
        if text ~= '' then
            call('APPEND', key, text)
        end
    end,
    items = function(key) return call('GET', key) end,
    slice = function(key, a)
        return tonumber(a[2]) < -call('STRLEN', key) and '' or call('GETRANGE', key, a[1], a[2])
    end,
    -- as text, since Lua would round it; nil if it cannot be
    incr = function(key, a) return type(redis.pcall('INCRBY', key, a[1])) == 'number' and call('GET', key) end,
}
