-- find.lua: the rows with one value, or a range of values, of an indexed column. Such queries are so frequent that they
-- go without lib.lua, temporary keys and plans. Ids that come from a range are numbers, which are their own scores.
--
-- KEYS[1]  the ids of the table, whose scores are the order of the reply
-- KEYS[2]  the index: a hash (unique), the set of the ids with the value (equal), or a sorted set (range)
-- ARGV     the kind of the index; the value or the lower bound; the upper bound; the start of the rows' key names; '1'
--          if ids are numbers; the number of ids to return at most, or 0 for all; the number of rows to read at most;
--          the names of the columns
-- reply    {ids, rows}: the ids, the rows of the first of them

local call, ids, rows = redis.call, nil, {}
local kind, prefix, numeric, stop, limit = ARGV[1], ARGV[4], ARGV[5] == '1', tonumber(ARGV[6]), tonumber(ARGV[7])

local function sort(found)
    local numbers, texts = {}, {}
    for i = 1, #found do
        local number = tonumber(found[i])
        numbers[i], texts[number] = number, found[i]
    end
    table.sort(numbers)
    for i = 1, #found do
        found[i] = texts[numbers[i]]
    end
    return found
end

if kind == 'unique' then
    ids = {call('HGET', KEYS[2], ARGV[2]) or nil}
elseif kind == 'equal' then
    ids = call('ZINTER', 2, KEYS[2], KEYS[1], 'WEIGHTS', 0, 1)
else
    ids = sort(call('ZRANGEBYSCORE', KEYS[2], ARGV[2], ARGV[3]))
end
if stop > 0 and #ids > stop then
    ids = {unpack(ids, 1, stop)}
end

local function escape(text)
    return (string.gsub(text, '[%z\1-\32%%:{}*?%[%]\\\127]', function(char)
        return string.format('%%%02X', string.byte(char))
    end))
end

if #ARGV > 7 then
    for i = 1, math.min(#ids, limit) do
        rows[i] = call('HMGET', prefix .. (numeric and ids[i] or escape(ids[i])), unpack(ARGV, 8))
    end
end
return {ids, rows}
