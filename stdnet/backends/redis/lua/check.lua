-- check.lua: fail if a table has rows that were stored by another layout.
--
-- KEYS[1]  the register of the namespace
-- KEYS[2]  the ids of the table
-- ARGV     the name of the table, its layout
-- reply    nil

local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored and stored ~= ARGV[2] and redis.call('EXISTS', KEYS[2]) == 1 then
    return redis.error_reply('STDNET mismatch ' .. ARGV[1])
end
return false
