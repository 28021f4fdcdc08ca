-- operate.lua: one operation of one structure, at once.
--
-- request  {kind, operation, key, arguments, typed, entries, table or nil, id or nil, others or none}
-- typed    {key, type, ...}: keys, and the types that they must be of unless they are missing
-- entries  what to put into the register; empty unless the operation can make something
-- id       of the row that the operation makes something for, if it does
-- others   tables of further structures, if their rows can expire
-- reply    {reply}, or an empty array if there is no such row

return run(function()
    local t, id, keys = request[7] and open(request[7]), request[8], request[5]
    for _, other in ipairs(request[9] or {}) do
        open(other)
    end
    if id and not call('ZSCORE', t.ids, id) then
        return {}
    end
    expect('HLEN', namespace .. ':structures')
    for i = 1, #keys, 2 do
        typed(keys[i], keys[i + 1])
    end
    enrol(request[6])
    return {perform(request[1], request[2], request[3], request[4]) or false}
end)
