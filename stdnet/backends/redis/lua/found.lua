-- found.lua: the node of a plan that asks a structure.

-- {'found', kind, operation, key without the namespace, type, arguments}
function NODES.found(t, node)
    local key = namespace .. node[4]
    typed(key, node[5])
    return existing(t, perform(node[2], node[3], key, node[6]))
end
