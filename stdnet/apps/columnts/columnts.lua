-- columnts.lua: a table of doubles by time, in chunks of rows. Cells are opaque strings of 8 bytes; only times are read.
--
-- key         sorted set: chunk -> a time that is after all rows of earlier chunks and not after its own
-- key:ranks   sorted set: chunk -> place of its first row; only differences of places count
-- key:cells   hash: chunk -> its times, `chunk:column` -> its cells, unless all are missing, '' -> the last number given
-- key:fields  hash: name of a column -> its number
--
-- block       {times, name, cells, name, cells, ...}, the times in order, each once

local call, sub, format = redis.call, string.sub, string.format
local ROWS = 510 -- of a chunk: 4080 bytes and what the server adds fit an allocation of 4096
local PART = 500000 -- doubles of one reply to a range, so that nobody else waits for long
local MISSING = '\0\0\0\0\0\0\248\127'

local function text(number) return format('%.17g', number) end

local function time_at(times, place) return (struct.unpack('<d', times, place * 8 + 1)) end

local function slice(cells, from, to) return sub(cells, from * 8 + 1, to * 8) end

local function missing(rows) return string.rep(MISSING, rows) end

-- Return the place behind the times, from one place on, that are before `time`, or not after it.
local function bisect(times, time, inclusive, from)
    local low, high = from or 0, #times / 8
    while low < high do
        local middle = math.floor((low + high) / 2)
        local found = time_at(times, middle)
        if found < time or (inclusive and found == time) then
            low = middle + 1
        else
            high = middle
        end
    end
    return low
end

-- chunks

local function next_number(key) return call('HINCRBY', key .. ':cells', '', 1) end

local function times_of(key, chunk) return call('HGET', key .. ':cells', chunk) end

local function count_of(key, chunk) return call('HSTRLEN', key .. ':cells', chunk) / 8 end

local function place_of(key, chunk) return tonumber(call('ZSCORE', key .. ':ranks', chunk)) end

-- Return the chunk where a time is or would be, or nil.
local function chunk_of(key, time)
    return call('ZREVRANGEBYSCORE', key, time, '-inf', 'LIMIT', 0, 1)[1] or call('ZRANGE', key, 0, 0)[1]
end

-- Return the chunk before or behind another, and its first time.
local function neighbour(key, chunk, step)
    local place = call('ZRANK', key, chunk) + step
    if place < 0 then
        return nil
    end
    local found = call('ZRANGE', key, place, place, 'WITHSCORES')
    return found[1], tonumber(found[2])
end

local function origin(key)
    return tonumber(call('ZRANGE', key .. ':ranks', 0, 0, 'WITHSCORES')[2] or 0)
end

local function size_of(key)
    local last = call('ZRANGE', key .. ':ranks', -1, -1, 'WITHSCORES')
    return last[1] and tonumber(last[2]) + count_of(key, last[1]) - origin(key) or 0
end

-- Return the number of rows that are before a time, or not after it.
local function rows_before(key, time, inclusive)
    local chunk = chunk_of(key, time)
    if not chunk then
        return 0
    end
    return place_of(key, chunk) - origin(key) + bisect(times_of(key, chunk), tonumber(time), inclusive)
end

-- Return the places of the rows from low to high, as first and behind the last.
local function between(key, low, high)
    return rows_before(key, low, false), rows_before(key, high, true)
end

-- Return the same for places that are both included; negative ones count from the end.
local function places(key, start, stop)
    local size = size_of(key)
    start, stop = tonumber(start), tonumber(stop)
    if start < 0 then
        start = math.max(0, start + size)
    end
    if stop < 0 then
        stop = stop + size
    end
    return start, math.max(0, math.min(stop + 1, size))
end

-- Return {chunk, from, to} for the chunks that hold the rows from `first` on and before `last`.
local function pieces(key, first, last)
    if first >= last then
        return {}
    end
    local zero, ranks, out = origin(key), key .. ':ranks', {}
    local start = call('ZREVRANGEBYSCORE', ranks, text(zero + first), '-inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
    local found = call('ZRANGEBYSCORE', ranks, start, '(' .. text(zero + last), 'WITHSCORES')
    for i = 1, #found, 2 do
        local place = tonumber(found[i + 1]) - zero
        local stop = found[i + 3] and tonumber(found[i + 3]) - zero or last
        out[#out + 1] = {found[i], math.max(first - place, 0), stop - place}
    end
    return out
end

-- columns

local function less(a, b)
    for i = 1, math.min(#a, #b) do
        local x, y = string.byte(a, i), string.byte(b, i)
        if x ~= y then
            return x < y
        end
    end
    return #a < #b
end

local function names_of(key)
    local names = call('HKEYS', key .. ':fields')
    table.sort(names, less)
    return names
end

local function number_of(key, name)
    local number = call('HGET', key .. ':fields', name)
    if not number then
        number = format('%d', next_number(key))
        call('HSET', key .. ':fields', name, number)
    end
    return number
end

-- reading

local function times_in(key, parts)
    local out = {}
    for i, part in ipairs(parts) do
        out[i] = slice(times_of(key, part[1]), part[2], part[3])
    end
    return table.concat(out)
end

-- Return the block of the rows from `first` on and before `last`: of the columns `names`, or of all.
local function read(key, first, last, names)
    local parts = pieces(key, first, last)
    local block = {times_in(key, parts)}
    if block[1] == '' then
        return block
    end
    for _, name in ipairs(#names > 0 and names or names_of(key)) do
        local number, column = call('HGET', key .. ':fields', name), {}
        if number then
            for i, part in ipairs(parts) do
                local cells = call('HGET', key .. ':cells', part[1] .. ':' .. number)
                column[i] = cells and slice(cells, part[2], part[3]) or missing(part[3] - part[2])
            end
            block[#block + 1] = name
            block[#block + 1] = table.concat(column)
        end
    end
    return block
end

-- Return the block of rows, of the columns that `a` names from its third place on, or of all; if it would be too long, that
-- of the first rows, and behind it the time of the last one that is missing.
local function part(key, a, first, last)
    local names = {}
    for i = 3, #a do
        names[i - 2] = a[i]
    end
    local columns = #names > 0 and #names or call('HLEN', key .. ':fields')
    local stop = math.min(last, first + math.max(1, math.floor(PART / (columns + 1))))
    local block = read(key, first, stop, names)
    if stop < last then
        block[#block + 1] = slice(times_in(key, pieces(key, last - 1, last)), 0, 1)
    end
    return block
end

-- writing

local function drop(key, chunk)
    call('ZREM', key, chunk)
    call('ZREM', key .. ':ranks', chunk)
    call('HDEL', key .. ':cells', chunk)
    for _, number in ipairs(call('HVALS', key .. ':fields')) do
        call('HDEL', key .. ':cells', chunk .. ':' .. number)
    end
end

local function clear(key) call('UNLINK', key, key .. ':ranks', key .. ':cells', key .. ':fields') end

local function write(key, chunk, times, columns)
    call('HSET', key .. ':cells', chunk, times)
    local blank = missing(#times / 8)
    for number, cells in pairs(columns) do
        if cells == blank then
            call('HDEL', key .. ':cells', chunk .. ':' .. number)
        else
            call('HSET', key .. ':cells', chunk .. ':' .. number, cells)
        end
    end
end

-- Count the places of chunks anew, between two that kept theirs; nil stands for the ends of the series.
local function renumber(key, before, behind)
    local ranks = key .. ':ranks'
    if behind and not before then
        local chunks, place = call('ZRANGE', key, 0, call('ZRANK', key, behind)), place_of(key, behind)
        for i = #chunks - 1, 1, -1 do
            place = place - count_of(key, chunks[i])
            call('ZADD', ranks, text(place), chunks[i])
        end
        return
    end
    local first = before and call('ZRANK', key, before) or 0
    local place = before and place_of(key, before) or 0
    for _, chunk in ipairs(call('ZRANGE', key, first, -1)) do
        call('ZADD', ranks, text(place), chunk)
        place = place + count_of(key, chunk)
    end
end

-- Write rows as one chunk or several; return whether a chunk was added. At the end chunks are filled, so that appending
-- leaves no gaps; elsewhere they are of equal size, so that there is room for more.
local function spread(key, chunk, is_last, times, columns)
    local rows, from = #times / 8, 0
    local number = math.ceil(rows / ROWS)
    local step = is_last and ROWS or math.ceil(rows / number)
    for i = 1, number do
        local to, part = math.min(from + step, rows), {}
        for column, cells in pairs(columns) do
            part[column] = slice(cells, from, to)
        end
        if i > 1 or not chunk then
            chunk = format('%d', next_number(key))
            call('ZADD', key, text(time_at(times, from)), chunk)
        elseif time_at(times, 0) < tonumber(call('ZSCORE', key, chunk)) then
            call('ZADD', key, text(time_at(times, 0)), chunk)
        end
        write(key, chunk, slice(times, from, to), part)
        from = to
    end
    return number > 1
end

-- Add a run of rows of a source, 1 the old and 2 the new ones, to runs that are flat: source, from, to, ...
local function push(runs, source, from, to)
    local n = #runs
    if n > 0 and runs[n - 2] == source and runs[n] == from then
        runs[n] = to
    elseif from < to then
        runs[n + 1], runs[n + 2], runs[n + 3] = source, from, to
    end
end

-- Return the runs of the rows of a chunk and those from `from` to `to` of a block in the order of time: once with the
-- new one of two for one time, once with the old one.
local function interleaved(old, new, from, to)
    local fresh, kept, i, j, rows = {}, {}, 0, from, #old / 8
    while i < rows and j < to do
        local a, b = time_at(old, i), time_at(new, j)
        if a == b then
            push(fresh, 2, j, j + 1)
            push(kept, 1, i, i + 1)
            i, j = i + 1, j + 1
        elseif a < b then
            local stop = bisect(old, b, false, i)
            push(fresh, 1, i, stop)
            push(kept, 1, i, stop)
            i = stop
        else
            local stop = math.min(to, bisect(new, a, false, j))
            push(fresh, 2, j, stop)
            push(kept, 2, j, stop)
            j = stop
        end
    end
    for _, runs in ipairs({fresh, kept}) do
        push(runs, 1, i, rows)
        push(runs, 2, j, to)
    end
    return fresh, kept
end

-- Return the cells of runs; a source that is nil has none.
local function picked(runs, old, new)
    local out = {}
    for i = 1, #runs, 3 do
        local source, from, to = runs[i] == 1 and old or runs[i] == 2 and new, runs[i + 1], runs[i + 2]
        out[#out + 1] = source and slice(source, from, to) or missing(to - from)
    end
    return table.concat(out)
end

-- Put rows of a block into the chunk, if there is one, where they belong; return whether numbers of rows changed there
-- that other chunks come behind of, or chunks were added.
local function merge(key, chunk, behind, times, given, from, to)
    local old = chunk and times_of(key, chunk) or ''
    local fresh, kept = interleaved(old, times, from, to)
    local columns = {}
    for _, number in ipairs(call('HVALS', key .. ':fields')) do
        local cells = chunk and call('HGET', key .. ':cells', chunk .. ':' .. number)
        if cells or given[number] then
            columns[number] = picked(given[number] and fresh or kept, cells, given[number])
        end
    end
    local merged = picked(fresh, old, times)
    local added = spread(key, chunk, not behind, merged, columns)
    return added or not chunk or (behind and #merged ~= #old)
end

local function add(key, block)
    local times, given, from = block[1], {}, 0
    local rows, changed, before, behind = #times / 8, false, nil, nil
    for i = 2, #block, 2 do
        given[number_of(key, block[i])] = block[i + 1]
    end
    while from < rows do
        local chunk, start = chunk_of(key, text(time_at(times, from))), nil
        behind = nil
        if chunk then
            if from == 0 then
                before = neighbour(key, chunk, -1)
            end
            behind, start = neighbour(key, chunk, 1)
        end
        local to = start and bisect(times, start, false, from) or rows
        changed = merge(key, chunk, behind, times, given, from, to) or changed
        from = to
    end
    if changed then
        renumber(key, before, behind)
    end
end

-- Let a chunk keep the rows of runs only.
local function keep(key, chunk, old, runs)
    if #runs == 0 then
        return drop(key, chunk)
    elseif runs[3] - runs[2] == #old / 8 then
        return
    end
    local columns = {}
    for _, number in ipairs(call('HVALS', key .. ':fields')) do
        local cells = call('HGET', key .. ':cells', chunk .. ':' .. number)
        columns[number] = cells and picked(runs, cells) or nil
    end
    write(key, chunk, picked(runs, old), columns)
end

-- Remove what `runs_of(chunk, times)` leaves out of some chunks that stand one behind the other.
local function cut(key, chunks, runs_of)
    if #chunks == 0 then
        return
    end
    local before, behind = neighbour(key, chunks[1], -1), neighbour(key, chunks[#chunks], 1)
    for _, chunk in ipairs(chunks) do
        local old = times_of(key, chunk)
        keep(key, chunk, old, runs_of(chunk, old))
    end
    if call('EXISTS', key) == 0 then
        clear(key)
    else
        renumber(key, before, behind)
    end
end

local function remove_places(key, first, last)
    local chunks, bounds = {}, {}
    for i, part in ipairs(pieces(key, first, last)) do
        chunks[i], bounds[part[1]] = part[1], part
    end
    cut(key, chunks, function(chunk, old)
        local runs = {}
        push(runs, 1, 0, bounds[chunk][2])
        push(runs, 1, bounds[chunk][3], #old / 8)
        return runs
    end)
end

local function remove_times(key, times)
    if times == '' or call('EXISTS', key) == 0 then
        return
    end
    local rows = #times / 8
    local low = call('ZRANK', key, chunk_of(key, text(time_at(times, 0))))
    local high = call('ZRANK', key, chunk_of(key, text(time_at(times, rows - 1))))
    cut(key, call('ZRANGE', key, low, high), function(_, old)
        local runs, from, j = {}, 0, bisect(times, time_at(old, 0))
        while j < rows and from < #old / 8 do
            local place = bisect(old, time_at(times, j), false, from)
            if place < #old / 8 and time_at(old, place) == time_at(times, j) then
                push(runs, 1, from, place)
                from = place + 1
            end
            j = j + 1
        end
        push(runs, 1, from, #old / 8)
        return runs
    end)
end

local function taken(key, first, last)
    local block = read(key, first, last, {})
    remove_places(key, first, last)
    return block
end

kinds.columnts = {
    add = function(key, a)
        for i = 1, #a do
            add(key, a[i])
        end
    end,
    remove = function(key, a) remove_times(key, a[1]) end,
    forget = function(key, a)
        for i = 1, #a do
            local number = call('HGET', key .. ':fields', a[i])
            if number then
                call('HDEL', key .. ':fields', a[i])
                for _, chunk in ipairs(call('ZRANGE', key, 0, -1)) do
                    call('HDEL', key .. ':cells', chunk .. ':' .. number)
                end
            end
        end
        if call('HLEN', key .. ':fields') == 0 then
            clear(key)
        end
    end,
    -- a  {microseconds that rows may be older than the last one, number of rows}
    retain = function(key, a)
        local size = size_of(key)
        if size > 0 then
            local last = call('ZRANGE', key, -1, -1)[1]
            local youngest = time_at(times_of(key, last), count_of(key, last) - 1)
            local old = rows_before(key, text(youngest - tonumber(a[1])), false)
            remove_places(key, 0, math.max(old, size - tonumber(a[2])))
        end
    end,
    size = function(key) return size_of(key) end,
    items = function(key) return read(key, 0, size_of(key), {}) end,
    fields = function(key) return names_of(key) end,
    irange = function(key, a)
        return part(key, a, places(key, a[1], a[2]))
    end,
    range = function(key, a)
        return part(key, a, between(key, a[1], a[2]))
    end,
    times = function(key, a) return times_in(key, pieces(key, between(key, a[1], a[2]))) end,
    itimes = function(key, a) return times_in(key, pieces(key, places(key, a[1], a[2]))) end,
    pop_range = function(key, a) return taken(key, between(key, a[1], a[2])) end,
    ipop_range = function(key, a) return taken(key, places(key, a[1], a[2])) end,
    rank = function(key, a)
        local first, last = between(key, a[1], a[1])
        return first < last and first
    end,
    count = function(key, a)
        local first, last = between(key, a[1], a[2])
        return math.max(0, last - first)
    end,
}
