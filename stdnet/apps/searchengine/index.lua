-- index.lua: the operations of the kind searchindex; mirrors index.py, which says what they do.
--
-- key         a hash: analyzer, total (the number of words), token (of a reindex that is under way)
-- key:terms   a hash: term -> block: in how many documents, then for each its name, and how often; msgpack side by side
-- key:words   a sorted set of the terms
-- key:docs    a hash: name of a document -> {field, text, ...} as msgpack; nothing in it if its texts became empty
-- key:len     a hash: name of a document that has words -> their number
-- key:seen    a set: the names that were touched since a reindex began
--
-- The name of a document is its id in ASCII, other bytes and % as %XX, and the byte 255 at the end. So a name, with the
-- byte of its length before it, is in a block only where it begins an entry, and can be looked for as text.

local K1, B = 1.2, 0.75
local WORD = '[^ \n\29]+'

local function coded(char)
    return format('%%%02X', byte(char))
end

local function names_of(ids)
    local out = {}
    for i, id in ipairs(ids) do
        out[i] = (find(id, '[%%\128-\255]') and string.gsub(id, '[%%\128-\255]', coded) or id) .. '\255'
    end
    return out
end

local function id_of(name)
    local id = sub(name, 1, -2)
    return find(id, '%', 1, true) and string.gsub(id, '%%(%x%x)', function(hex)
        return string.char(tonumber(hex, 16))
    end) or id
end

local function check(key, analyzer)
    local own = call('HGET', key, 'analyzer')
    if own and own ~= analyzer then
        fail('analyzer', own .. '\t' .. analyzer)
    end
end

-- changes

-- Return how often each term is in the texts of a document, and its number of words.
local function counted(fields)
    local counts, words = {}, 0
    for i = 2, #fields, 2 do
        local text = fields[i]
        for term in string.gmatch(text, WORD) do
            counts[term] = (counts[term] or 0) + 1
        end
        local _, spaces = string.gsub(string.match(text, '^[^\n]*'), ' ', '')
        words = words + spaces + 1
    end
    return counts, words
end

-- Return the number of documents of a block, and where its entries begin, -1 if there are none.
local function head(block)
    if not block then
        return 0, -1
    end
    local at, number = cmsgpack.unpack_limit(block, 1, 0)
    return number, at
end

-- Return how often the term of a block is in each document, added to what is in `counts`.
local function parsed(block, counts)
    local _, at = head(block)
    counts = counts or {}
    while at ~= -1 do
        local values = {cmsgpack.unpack_limit(block, 2000, at)}
        for i = 2, #values, 2 do
            local name = values[i]
            counts[name] = (counts[name] or 0) + values[i + 1]
        end
        at = values[1]
    end
    return counts
end

-- Return the entries of a block but those of some names.
local function without(entries, names)
    for _, name in ipairs(names) do
        local packed = cmsgpack.pack(name)
        local first, last = find(entries, packed, 1, true)
        local after = cmsgpack.unpack_limit(entries, 1, last)
        entries = sub(entries, 1, first - 1) .. (after == -1 and '' or sub(entries, after + 1))
    end
    return entries
end

-- Bring terms up to date: entries that go and entries that come, by term.
local function write_terms(key, gone, come)
    local terms, touched = {}, {}
    for _, group in ipairs({gone, come}) do
        for term in pairs(group) do
            if not touched[term] then
                touched[term] = true
                terms[#terms + 1] = term
            end
        end
    end
    local blocks, set, del, new = gather('HMGET', key .. ':terms', terms), {}, {}, {}
    for i, term in ipairs(terms) do
        local number, at = head(blocks[i])
        local block = at == -1 and '' or sub(blocks[i], at + 1)
        if not blocks[i] then
            new[#new + 1], new[#new + 2] = '0', term
        end
        if gone[term] then
            number, block = number - #gone[term], without(block, gone[term])
        end
        if come[term] then
            number, block = number + #come[term], block .. table.concat(come[term])
        end
        if number == 0 then
            del[#del + 1] = term
        else
            set[#set + 1], set[#set + 2] = term, cmsgpack.pack(number) .. block
        end
    end
    send('HSET', key .. ':terms', set, 2)
    send('ZADD', key .. ':words', new, 2)
    send('HDEL', key .. ':terms', del)
    send('ZREM', key .. ':words', del)
end

local function put(group, term, entry)
    local entries = group[term]
    if entries then
        entries[#entries + 1] = entry
    else
        group[term] = {entry}
    end
end

-- Give documents new fields: made(i, old) returns those of names[i], nil for a document that is not there. No name is
-- there twice.
local function replace(key, names, made)
    local stored, gone, come = gather('HMGET', key .. ':docs', names), {}, {}
    local docs, lengths, dropped, bare, total = {}, {}, {}, {}, 0
    for i, name in ipairs(names) do
        local old = stored[i] and cmsgpack.unpack(stored[i]) or nil
        local new = made(i, old)
        local packed = new and cmsgpack.pack(new) or false
        if packed ~= stored[i] then
            local before, words_before = counted(old or {})
            local after, words = counted(new or {})
            for term, count in pairs(before) do
                if after[term] ~= count then
                    put(gone, term, name)
                end
            end
            local entries = {} -- by count; most are 1
            for term, count in pairs(after) do
                if before[term] ~= count then
                    entries[count] = entries[count] or cmsgpack.pack(name, count)
                    put(come, term, entries[count])
                end
            end
            total = total + words - words_before
            if packed then
                docs[#docs + 1], docs[#docs + 2] = name, packed
            else
                dropped[#dropped + 1] = name
            end
            if words > 0 then
                lengths[#lengths + 1], lengths[#lengths + 2] = name, format('%d', words)
            else
                bare[#bare + 1] = name
            end
        end
    end
    write_terms(key, gone, come)
    send('HSET', key .. ':docs', docs, 2)
    send('HSET', key .. ':len', lengths, 2)
    send('HDEL', key .. ':docs', dropped)
    send('HDEL', key .. ':len', bare)
    if total ~= 0 then
        call('HINCRBY', key, 'total', format('%d', total))
    end
end

-- Return the texts that a document gets, along the fields, or nil if it stays as it is: of those given, one alone in an
-- array is for a document that is not there.
local function chosen(old, fields, given)
    local out, some = {}, nil
    for i = 1, #fields do
        local text = given[i]
        if type(text) == 'table' then
            text = not old and text[1]
        end
        if text then
            out[i], some = text, out
        end
    end
    return some
end

-- Return fields, by name, with the texts given for some; an empty one removes it.
local function merged(old, fields, given)
    local texts, order_ = {}, {}
    for i = 1, #old, 2 do
        texts[old[i]] = old[i + 1]
        order_[#order_ + 1] = old[i]
    end
    for i, field in ipairs(fields) do
        if given[i] then
            if texts[field] == nil then
                order_[#order_ + 1] = field
            end
            texts[field] = given[i]
        end
    end
    if #old > 0 then
        table.sort(order_, text_less)
    end
    local out = {}
    for _, field in ipairs(order_) do
        if texts[field] ~= '' then
            out[#out + 1], out[#out + 2] = field, texts[field]
        end
    end
    return out
end

-- An index without documents is not there, unless one is being made.
local function tidy(key)
    if call('EXISTS', key .. ':docs') == 0 and call('HEXISTS', key, 'token') == 0 then
        call('DEL', key)
    end
end

local function touch(key, names)
    if call('HEXISTS', key, 'token') == 1 then
        send('SADD', key .. ':seen', names)
    end
end

local function set_texts(key, names, analyzer, fields, texts)
    call('HSET', key, 'analyzer', analyzer)
    local first, seen, touched = 1, {}, {}
    local function flush(last)
        local some = {unpack(names, first, last)}
        local base = first - 1
        replace(key, some, function(i, old)
            local given = chosen(old, fields, texts[base + i])
            touched[#touched + 1] = given and some[i]
            return given and merged(old or {}, fields, given) or old
        end)
        first, seen = last + 1, {}
    end
    for i, name in ipairs(names) do
        if seen[name] or i - first >= 5000 then
            flush(i - 1)
        end
        seen[name] = true
    end
    flush(#names)
    touch(key, touched)
    tidy(key)
end

local function forget(key, names)
    for first = 1, #names, 5000 do
        replace(key, {unpack(names, first, math.min(first + 4999, #names))}, function()
            return nil
        end)
    end
    tidy(key)
end

-- questions

local function block_of(key, term)
    return call('HGET', key .. ':terms', term) or nil
end

local function least(key, terms, first)
    local counts = parsed(block_of(key, terms[first]))
    for n = first + 1, #terms do
        local others, kept = parsed(block_of(key, terms[n])), {}
        for name, count in pairs(counts) do
            if others[name] then
                kept[name] = math.min(count, others[name])
            end
        end
        counts = kept
    end
    return counts
end

local function starting(key, start)
    local terms = call('ZRANGEBYLEX', key .. ':words', '[' .. start, '(' .. start .. '\255')
    local counts = {}
    for _, block in ipairs(gather('HMGET', key .. ':terms', terms)) do
        parsed(block, counts)
    end
    return counts
end

local function occurrences(text, part)
    local count, at = 0, find(text, part, 1, true)
    while at do
        count, at = count + 1, find(text, part, at + 1, true)
    end
    return count
end

local function side_by_side(key, clause)
    local names, counts, needle = {}, {}, ' ' .. clause[2] .. ' '
    for name in pairs(least(key, clause, 3)) do
        names[#names + 1] = name
    end
    for i, packed in ipairs(gather('HMGET', key .. ':docs', names)) do
        local fields, count = cmsgpack.unpack(packed), 0
        for n = 2, #fields, 2 do
            count = count + occurrences(' ' .. string.match(fields[n], '^[^\n]*') .. ' ', needle)
        end
        if count > 0 then
            counts[names[i]] = count
        end
    end
    return counts
end

-- Return how often a clause is in each document where it is, and in how many it is if that is not the size of it.
local function counts_of(key, clause)
    if clause[1] == 'prefix' then
        return starting(key, clause[2])
    elseif clause[1] == 'phrase' then
        return side_by_side(key, clause)
    end
    return least(key, clause, 2)
end

local function keys_of(counts)
    local out = {}
    for name in pairs(counts) do
        out[#out + 1] = name
    end
    return out
end

-- Return the names that are in a block of a term; to look for a few is faster than to read all.
local function among(names, block)
    local out, all = {}, #names > 15 and parsed(block)
    for _, name in ipairs(names) do
        if all and all[name] or not all and find(block, cmsgpack.pack(name), 1, true) then
            out[#out + 1] = name
        end
    end
    return out
end

local function matching_all(key, clauses)
    local terms, others, names = {}, {}, nil
    for _, clause in ipairs(clauses) do
        if clause[1] == 'word' then
            for n = 2, #clause do
                terms[#terms + 1] = clause[n]
            end
        else
            others[#others + 1] = counts_of(key, clause)
        end
    end
    local blocks = gather('HMGET', key .. ':terms', terms)
    for _, block in ipairs(blocks) do
        if not block then
            return {}
        end
    end
    table.sort(blocks, function(a, b) return #a < #b end)
    for _, block in ipairs(blocks) do
        names = names and among(names, block) or keys_of(parsed(block))
    end
    for _, counts in ipairs(others) do
        local kept = {}
        for _, name in ipairs(names or keys_of(counts)) do
            if counts[name] then
                kept[#kept + 1] = name
            end
        end
        names = kept
    end
    return names
end

local function matching_any(key, clauses)
    local all = {}
    for _, clause in ipairs(clauses) do
        for name in pairs(counts_of(key, clause)) do
            all[name] = true
        end
    end
    return keys_of(all)
end

-- Return how often a clause is in documents, false where it is not, and in how many it is.
local function counts_in(key, clause, names)
    local out, number = {}, 0
    if clause[1] == 'word' and #clause == 2 then
        local block = block_of(key, clause[2])
        local all = #names > 15 and parsed(block)
        for i, name in ipairs(names) do
            local _, last = nil, nil
            if block and not all then
                _, last = find(block, cmsgpack.pack(name), 1, true)
            end
            out[i] = all and all[name] or last and select(2, cmsgpack.unpack_limit(block, 1, last)) or false
        end
        return out, (head(block))
    end
    local counts = counts_of(key, clause)
    for _ in pairs(counts) do
        number = number + 1
    end
    for i, name in ipairs(names) do
        out[i] = counts[name] or false
    end
    return out, number
end

local function scores(key, names, clauses)
    local number, lengths, sums = call('HLEN', key .. ':len'), gather('HMGET', key .. ':len', names), {}
    local average = number > 0 and tonumber(call('HGET', key, 'total')) / number or 1
    for i = 1, #names do
        sums[i] = 0
    end
    for _, clause in ipairs(clauses) do
        local counts, containing = counts_in(key, clause, names)
        local weight = math.log(1 + (number - containing + 0.5) / (containing + 0.5))
        for i, count in ipairs(counts) do
            if count then
                local part = count + K1 * (1 - B + B * tonumber(lengths[i]) / average)
                sums[i] = sums[i] + weight * (count * (K1 + 1)) / part
            end
        end
    end
    for i, sum in ipairs(sums) do
        sums[i] = floor(sum * 1e6 + 0.5) / 1e6
    end
    return sums
end

kinds.searchindex = {
    guard = function(key, operation, a)
        if operation == 'update' then
            check(key, a[#a - 2])
        end
    end,
    update = function(key, a)
        set_texts(key, names_of(a[1]), a[2], a[3], a[4])
    end,
    inherit = function(key, a)
        for i, name in ipairs(names_of(a[1])) do
            if a[2][i] then
                local other = call('HGET', key .. ':docs', names_of({a[2][i]})[1])
                replace(key, {name}, function()
                    return other and cmsgpack.unpack(other) or nil
                end)
            end
        end
        tidy(key)
    end,
    forget = function(key, a)
        local names = names_of(a[1])
        touch(key, names)
        forget(key, names)
    end,
    found = function(key, a)
        check(key, a[1])
        local names = (a[2] == 'any' and matching_any or matching_all)(key, a[3])
        for i, name in ipairs(names) do
            names[i] = id_of(name)
        end
        return names
    end,
    scores = function(key, a)
        check(key, a[2])
        return scores(key, names_of(a[1]), a[3])
    end,
    size = function(key)
        return call('HLEN', key .. ':len')
    end,
    items = function(key)
        local flat, out = call('HGETALL', key .. ':docs'), {}
        for i = 1, #flat, 2 do
            local fields = cmsgpack.unpack(flat[i + 1])
            if #fields > 0 then
                out[#out + 1] = {id_of(flat[i]), unpack(fields)}
            end
        end
        return out
    end,
    begin = function(key, a)
        if call('HGET', key, 'analyzer') ~= a[1] then
            call('UNLINK', key, key .. ':terms', key .. ':words', key .. ':docs', key .. ':len')
        end
        call('UNLINK', key .. ':seen')
        call('HSET', key, 'analyzer', a[1], 'token', a[2])
        return call('HLEN', key .. ':len')
    end,
    renew = function(key, a)
        if call('HGET', key, 'token') ~= a[5] then
            return 0
        end
        local names, fresh, texts = names_of(a[1]), {}, {}
        local seen = gather('SMISMEMBER', key .. ':seen', names)
        for i, name in ipairs(names) do
            if seen[i] == 0 then
                fresh[#fresh + 1], texts[#texts + 1] = name, a[4][i]
            end
        end
        set_texts(key, fresh, a[2], a[3], texts)
        return 1
    end,
    finish = function(key, a)
        if call('HGET', key, 'token') ~= a[1] then
            return 0
        end
        local names, stale = call('HKEYS', key .. ':docs'), {}
        for i, member in ipairs(gather('SMISMEMBER', key .. ':seen', names)) do
            if member == 0 then
                stale[#stale + 1] = names[i]
            end
        end
        call('HDEL', key, 'token')
        call('UNLINK', key .. ':seen')
        forget(key, stale)
        return #stale
    end,
}
