-- where.lua: the interpreter of Where programs; mirrors memory/where.py. One fixed text: a program is data.
--
-- A constant comes as a letter and its text: n2.5 (a number), tabc (text), T, F and N.

local NONE = {}

local function constant(text)
    local kind, rest = sub(text, 1, 1), sub(text, 2)
    if kind == 'n' then
        return rest == 'nan' and 0 / 0 or tonumber(rest)
    elseif kind == 't' then
        return rest
    elseif kind == 'N' then
        return NONE
    end
    return kind == 'T'
end

local function less(a, b)
    if type(a) == 'string' then
        return text_less(a, b)
    end
    return a < b
end

-- The operations, made when a program asks for them.
local function operations()
    local unary = {
        ['not'] = function(a) return not a end,
        neg = function(a) return -a end,
        abs = math.abs,
        floor = floor,
        lower = string.lower,
        upper = string.upper,
        len = function(a)
            local _, n = string.gsub(a, '[^\128-\191]', '')
            return n
        end,
    }

    local binary = {
        ['=='] = function(a, b) return a == b end,
        ['!='] = function(a, b) return a ~= b end,
        ['<'] = less,
        ['<='] = function(a, b) return a == b or less(a, b) end,
        ['>'] = function(a, b) return less(b, a) end,
        ['>='] = function(a, b) return a == b or less(b, a) end,
        ['and'] = function(a, b) return a and b end,
        ['or'] = function(a, b) return a or b end,
        ['+'] = function(a, b) return a + b end,
        ['-'] = function(a, b) return a - b end,
        ['*'] = function(a, b) return a * b end,
        ['/'] = function(a, b) return a / b end,
        ['%'] = function(a, b) return a - floor(a / b) * b end,
        contains = function(a, b) return find(a, b, 1, true) ~= nil end,
        startswith = function(a, b) return sub(a, 1, #b) == b end,
        endswith = function(a, b) return b == '' or sub(a, -#b) == b end,
    }
    return unary, binary
end

-- Steps become {kind, function or value or count}, once.
local function compiled(program)
    local steps, unary, binary = {}, operations()
    for i, step in ipairs(program) do
        local op, argument = step[1], step[2]
        if op == 'const' then
            steps[i] = {'const', constant(argument)}
        elseif op == 'field' then
            steps[i] = {'field', argument}
        elseif op == 'in' then
            steps[i] = {'in', tonumber(argument)}
        elseif unary[op] then
            steps[i] = {'unary', unary[op]}
        else
            steps[i] = {'binary', binary[op]}
        end
    end
    return steps
end

local function among(stack, top, count)
    local wanted, first = stack[top - count], top - count + 1
    for i = first, top do
        if stack[i] == wanted then
            return true
        end
    end
    return false
end

-- Return what a program leaves.
local function left(steps, values)
    local stack, top = {}, 0
    for _, step in ipairs(steps) do
        local kind, argument = step[1], step[2]
        if kind == 'field' then
            top = top + 1
            stack[top] = values[argument]
        elseif kind == 'const' then
            top = top + 1
            stack[top] = argument
        elseif kind == 'unary' then
            stack[top] = argument(stack[top])
        elseif kind == 'binary' then
            top = top - 1
            stack[top] = argument(stack[top], stack[top + 1])
        else
            local found = among(stack, top, argument)
            top = top - argument
            stack[top] = found
        end
    end
    return stack[top]
end

local function holds(steps, values)
    return left(steps, values) == true
end
