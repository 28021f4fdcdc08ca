-- numberarray.lua: bytes in cells. Empty texts would make an empty key, so they are not appended.

local function append(key, text)
    if text ~= '' then
        call('APPEND', key, text)
    end
end

kinds.numberarray = {
    append = function(key, a) append(key, table.concat(a)) end,
    items = function(key) return call('GET', key) end,
    slice = function(key, a)
        return tonumber(a[2]) < -call('STRLEN', key) and '' or call('GETRANGE', key, a[1], a[2])
    end,
    assign = function(key, a)
        if tonumber(a[1]) + #a[2] > call('STRLEN', key) then
            return 0
        end
        call('SETRANGE', key, a[1], a[2])
        return 1
    end,
    resize = function(key, a)
        local missing = tonumber(a[1]) - call('STRLEN', key)
        append(key, string.rep(a[2], math.ceil(missing / #a[2])))
        return call('STRLEN', key)
    end,
    truncate = function(key, a)
        local number, size = tonumber(a[1]), call('STRLEN', key)
        if number <= 0 or number > size then
            return ''
        end
        local content = call('GET', key)
        if number == size then
            call('UNLINK', key)
        else
            call('SET', key, sub(content, 1, size - number))
        end
        return sub(content, size - number + 1)
    end,
}
