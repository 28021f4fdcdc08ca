-- get.lua: one row by its id, the most frequent query of all, without what the others need.
--
-- KEYS[1]  the ids of the table
-- KEYS[2]  the row
-- ARGV     the id, and the names of the columns
-- reply    the values, or nil if there is no such row

if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
    return false
end
return #ARGV > 1 and redis.call('HMGET', KEYS[2], unpack(ARGV, 2)) or {}
