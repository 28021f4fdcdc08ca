-- leaves.lua: reading columns, and leaves of maps, which are stored as a letter for their type before the text of their
-- value: i5, f0.5, stext, b[1]. A map is a JSON object of such texts, so no number is read as JSON.

local CLASS = {[105] = 1, [102] = 1, [115] = 2, [98] = 3} -- numbers, text, bytes

-- Return what reads a column, the pk or a leaf of the row of an id, and the type of the values.
local function reader(t, field)
    if field == t.pk then
        return function(id) return id end, t.type
    elseif t.column[field] then
        return function(id) return call('HGET', obj_key(t, id), field) end, t.column[field].type
    end
    for _, column in ipairs(t.columns) do
        local head = column.name .. '__'
        if column.type == 'map' and sub(field, 1, #head) == head then
            local path = sub(field, #head + 1)
            return function(id)
                local map = call('HGET', obj_key(t, id), column.name)
                return map and map ~= '' and cjson.decode(map)[path]
            end, 'leaf'
        end
    end
end

-- Between an integer and a float only whole numbers matter, and those have all their digits.
local function number_less(a, b)
    local x, y = sub(a, 2), sub(b, 2)
    if byte(a) == 102 and byte(b) == 102 then
        return tonumber(x) < tonumber(y)
    elseif byte(a) == 102 then
        x = format('%.0f', floor(tonumber(x)))
    elseif byte(b) == 102 then
        y = format('%.0f', math.ceil(tonumber(y)))
    end
    return int_less(x, y)
end

local function leaf_less(a, b)
    local x, y = CLASS[byte(a)], CLASS[byte(b)]
    if x ~= y then
        return x < y
    end
    return (x == 1 and number_less or text_less)(a, b)
end

local function leaf_blank(value)
    return not value or value == 's' or value == 'b'
end
