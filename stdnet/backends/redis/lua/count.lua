-- count.lua: the number of ids in a plan. Where one command tells it, wire.py sends that instead.
--
-- request  {table, plan}
-- reply    the number

return run(function()
    quiet()
    local t = open(request[1])
    return size(evaluate(t, request[2]))
end)
