-- more.lua: contents of structures of more rows of a Select whose first call gave their ids.
--
-- request  {table, ids, structures}
-- reply    an array for each structure

return run(function()
    return contents(open(request[1]), request[2], request[3], #request[2])
end)
