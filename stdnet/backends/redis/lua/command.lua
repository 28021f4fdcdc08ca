-- command.lua: one command on a structure of a table whose rows can expire.
--
-- request  {table, word of the command, key, its words behind the key}
-- reply    that of the command

return run(function()
    open(request[1])
    local reply = redis.pcall(request[2], request[3], unpack(request[4]))
    if type(reply) == 'table' and reply.err then
        fail('type', request[3])
    end
    return reply
end)
