-- forget.lua: take structures out of the register, unless some were made since it was marked.
--
-- KEYS[1]  the register
-- ARGV     a field, its value while it was marked
-- reply    nil

if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
    redis.call('HDEL', KEYS[1], ARGV[1])
end
return false
