-- guard.lua: one command on a structure of a table, unless the table has rows that were stored by another layout.
--
-- KEYS[1]  the register of the namespace
-- KEYS[2]  the ids of the table
-- KEYS[3]  the structure
-- ARGV     the name of the table, its layout, the word of the command, and its words behind the key

local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored and stored ~= ARGV[2] and redis.call('EXISTS', KEYS[2]) == 1 then
    return redis.error_reply('STDNET mismatch ' .. ARGV[1])
end
local reply = redis.pcall(ARGV[3], KEYS[3], unpack(ARGV, 4))
return type(reply) == 'table' and reply.err and redis.error_reply('STDNET type ' .. KEYS[3]) or reply
