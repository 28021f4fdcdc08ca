-- lib.lua: what every script uses: its arguments, tables, key names, temporary keys, comparisons.
-- No plan and no request is known here.
--
-- KEYS[1]  a key of the namespace, which leads to the right node of a cluster
-- ARGV[1]  the namespace
-- ARGV[2]  the request: msgpack arrays of text, bytes and nil; numbers are text

local call, format, byte, sub, find, floor = redis.call, string.format, string.byte, string.sub, string.find, math.floor
local namespace = ARGV[1]
local request = ARGV[2] and cmsgpack.unpack(ARGV[2])
local CHUNK = 1000 -- items of one call; unpack takes less than 8000
local TABLES = namespace .. ':tables' -- the register: table name -> layout, so that nothing needs a SCAN to be found
local INDEXED = {int = 'number', float = 'number', str = 'text', bytes = 'text'}

-- errors

local function fail(code, detail)
    error({err = 'STDNET ' .. code .. ' ' .. detail}, 0)
end

-- Lua does not roll back: each key is looked at by a command of its type before the first write.
local function expect(command, key)
    local reply = redis.pcall(command, key)
    if type(reply) == 'table' and reply.err then
        fail('type', key)
    end
    return reply
end

local expiry -- what expiry.lua adds, if a table is reached whose rows can expire

-- names

local function encoded(char)
    return format('%%%02X', byte(char))
end

local function escape(text)
    return (string.gsub(text, '[%z\1-\32%%:{}*?%[%]\\\127]', encoded))
end

-- {name, pk, type, auto, order, {{name, type, unique, index}, ...}, layout or nil, endings or nil, together or nil,
-- '1' if its rows can expire} -> a table with its key names; endings are what keys of structures end in, after those of
-- their rows; together are {name, names of columns} of unique combinations.
-- Fails if there are rows that were stored by another layout: their indices are not those that will be asked.
local function open(desc)
    local base = namespace .. desc[1]
    local t = {name = desc[1], pk = desc[2], type = desc[3], auto = desc[4] == '1', order = desc[5]}
    t.ids, t.counter, t.obj, t.layout = base .. ':id', base .. ':ids', base .. ':obj:', desc[7]
    t.structures = desc[8]
    local stored = t.layout and call('HGET', TABLES, t.name)
    if stored and stored ~= t.layout and call('EXISTS', t.ids) == 1 then
        fail('mismatch', t.name)
    end
    t.numeric = INDEXED[t.type] == 'number'
    t.columns, t.column, t.names, t.indexed = {}, {}, {}, {}
    for n, c in ipairs(desc[6]) do
        local column = {name = c[1], type = c[2], unique = c[3] == '1', index = c[4], place = n}
        column.uni, column.idx = base .. ':uni:' .. c[1], base .. ':idx:' .. c[1]
        column.blank = column.idx .. ':'
        t.columns[n], t.names[n], t.column[c[1]] = column, c[1], column
        if column.unique or column.index ~= '' then
            t.indexed[#t.indexed + 1] = column
        end
    end
    t.together = {}
    for n, c in ipairs(desc[9] or {}) do
        local combined = {name = c[1], unique = true, place = #t.columns + n, columns = {}}
        combined.uni = base .. ':uni:' .. c[1]
        for i, name in ipairs(c[2]) do
            combined.columns[i] = t.column[name]
        end
        t.together[n], t.column[c[1]] = combined, combined
    end
    if desc[10] then
        t.ttl = base .. ':ttl'
        expiry.purge(t)
    end
    return t
end

local function obj_key(t, id)
    return t.obj .. (t.numeric and id or escape(id))
end

-- Numbers that are equal are one value of an index.
local function key_value(column, value)
    return column.type == 'float' and value == '-0.0' and '0.0' or value
end

-- Return a unique combination of values of a row, or false if one of them is blank.
local function combination(combined, row)
    local text = ''
    for _, column in ipairs(combined.columns) do
        local value = row[column.place]
        if not value or value == '' then
            return false
        end
        value = key_value(column, value)
        text = text .. #value .. ':' .. value
    end
    return text
end

local function idx_key(column, value)
    return column.blank .. escape(value)
end

-- temporary keys, gone before a script ends

local temps = {}

local function temp()
    local key = namespace .. ':tmp:' .. (#temps + 1)
    temps[#temps + 1] = key
    return key
end

local function clean()
    for first = 1, #temps, CHUNK do
        call('UNLINK', unpack(temps, first, math.min(first + CHUNK - 1, #temps)))
    end
    temps = {}
end

-- What is written and deleted within a script need not reach replicas and the append-only file.
local function quiet()
    redis.replicate_commands()
    redis.set_repl(redis.REPL_NONE)
end

local function loud()
    clean()
    redis.set_repl(redis.REPL_ALL)
end

local function run(main)
    local ok, reply = pcall(main)
    clean()
    if ok then
        return reply
    end
    return redis.error_reply(type(reply) == 'table' and reply.err or tostring(reply))
end

-- many items, few calls

-- Call command(key, ..., items) with a chunk of items at a time; put all replies of arrays into one.
local function gather(command, key, items)
    local out, n = {}, 0
    for first = 1, #items, CHUNK do
        local reply = call(command, key, unpack(items, first, math.min(first + CHUNK - 1, #items)))
        for i = 1, #reply do
            n = n + 1
            out[n] = reply[i]
        end
    end
    return out
end

local function hmget(key, names)
    if #names <= CHUNK then
        return call('HMGET', key, unpack(names))
    end
    return gather('HMGET', key, names)
end

-- Send items, of which `size` belong together, to a command without a reply of interest.
local function send(command, key, items, size)
    local step = CHUNK * (size or 1)
    for first = 1, #items, step do
        call(command, key, unpack(items, first, math.min(first + step - 1, #items)))
    end
end

-- comparisons: `<` on text depends on the server's locale and on integers as text, so it is not used

local function text_less(a, b)
    for i = 1, math.min(#a, #b) do
        local x, y = byte(a, i), byte(b, i)
        if x ~= y then
            return x < y
        end
    end
    return #a < #b
end

local function int_less(a, b)
    if #a < 16 and #b < 16 then
        return tonumber(a) < tonumber(b)
    end
    local minus = byte(a) == 45
    if minus ~= (byte(b) == 45) then
        return minus
    end
    if minus then
        a, b = sub(b, 2), sub(a, 2)
    end
    if #a ~= #b then
        return #a < #b
    end
    return text_less(a, b)
end

local function float_less(a, b)
    return tonumber(a) < tonumber(b)
end

local LESS = {int = int_less, float = float_less, str = text_less, bytes = text_less}

-- numbers as text, as Python writes them

local function int_text(n)
    return n == 0 and '0' or format('%.0f', n)
end

local function float_text(n)
    if n ~= n or n == 1 / 0 or n == -1 / 0 then
        return n > 0 and 'inf' or '-inf'
    end
    local text
    for digits = 0, 16 do
        text = format('%.' .. digits .. 'e', n)
        if tonumber(text) == n then
            break
        end
    end
    local sign, head, tail, power = string.match(text, '^(%-?)(%d)%.?(%d*)e([+-]%d+)$')
    local digits, exponent = head .. tail, tonumber(power)
    if n == 0 then
        return '0.0'
    elseif exponent >= 16 or exponent < -4 then
        local mantissa = tail == '' and head or head .. '.' .. tail
        return sign .. mantissa .. 'e' .. (exponent < 0 and '-' or '+') .. format('%02d', math.abs(exponent))
    elseif exponent < 0 then
        return sign .. '0.' .. string.rep('0', -exponent - 1) .. digits
    elseif #digits <= exponent + 1 then
        return sign .. digits .. string.rep('0', exponent + 1 - #digits) .. '.0'
    end
    return sign .. sub(digits, 1, exponent + 1) .. '.' .. sub(digits, exponent + 2)
end

-- Return the text of an equal value in a column of another type, or nil if there is none.
local function convert(text, from, to)
    if from == 'float' and text == '-0.0' then
        text = '0.0'
    end
    if from == to then
        return text
    elseif INDEXED[from] ~= 'number' or INDEXED[to] ~= 'number' then
        return nil
    end
    local n = tonumber(text)
    if to == 'float' then
        return n - n == 0 and int_text(n) == text and float_text(n) or nil
    end
    return n - n == 0 and floor(n) == n and int_text(n) or nil
end
