-- resolve.lua: what became of a commit; one that did not arrive so far is given up, so that it cannot come later.
--
-- ARGV[2]  {token}
-- reply    the reply of the commit, or nil

return run(function()
    local key = namespace .. ':commit:' .. request[1]
    local known = call('GET', key)
    if known and known ~= '' then
        return cmsgpack.unpack(known)
    end
    call('SET', key, '', 'PX', 600000)
    return false
end)
