-- Reports, gives back and leases, of any number of an organization's counters at once. The arithmetic is that of
-- `tally.rs`, which has the words for it.
-- A counter is a hash: `s<part>` is what was spent in a part of time, `h<holder>` a holder's lease as `amount until seen
-- call report`, `cap` the last one asked with, `recall` until when others shall give back.
-- KEYS: the mark that the organization is seeded; for each demand its counter and the one of the period before, or its own.
-- Returns nothing where a seed is needed and the organization is not seeded, else {now, granted} and a list for each demand.
local at = 0
local function text()
    at = at + 1
    return ARGV[at]
end
local function number()
    return tonumber(text())
end
-- Lua writes large numbers with an exponent.
local function whole(value)
    return string.format('%.0f', value)
end

local holder, call = text(), number()
local channel, organization = text(), text()
local lively, forgotten_after, shares, recall_lasts, grace = number(), number(), number(), number(), number()
local needs_seed = number() == 1
if needs_seed and redis.call('EXISTS', KEYS[1]) == 0 then
    return {}
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function read(key)
    local counter = {there = false, parts = {}, leases = {}, recall = 0}
    local fields = redis.call('HGETALL', key)
    for place = 1, #fields, 2 do
        local field, value = fields[place], fields[place + 1]
        local kind, name = string.sub(field, 1, 1), string.sub(field, 2)
        counter.there = true
        if kind == 's' then
            counter.parts[tonumber(name)] = tonumber(value)
        elseif kind == 'h' then
            local amount, expires, seen, last_call, report =
                string.match(value, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
            expires = tonumber(expires)
            counter.leases[name] = {
                amount = expires > now and tonumber(amount) or 0,
                expires = expires,
                seen = tonumber(seen),
                call = tonumber(last_call),
                report = tonumber(report),
            }
        elseif field == 'recall' then
            counter.recall = tonumber(value)
        end
    end
    return counter
end

local function spent_of(counter)
    local sum = 0
    for _, spent in pairs(counter.parts) do
        sum = sum + spent
    end
    return sum
end

local function carried(previous, amount)
    if amount < 0 then
        return 0
    end
    local counter = read(previous)
    local left = amount - spent_of(counter)
    for _, lease in pairs(counter.leases) do
        left = left - lease.amount
    end
    return math.max(left, 0)
end

local function tell(place)
    local demand = {key = KEYS[place * 2], name = text(), changed = {}, gone = {}}
    local cap, part_length, part_count = number(), number(), number()
    demand.kept_until, demand.kept_for = number(), number()
    local carry, lasts = number(), number()
    demand.held, demand.outstanding, demand.required, demand.wished = number(), number(), number(), number()
    demand.rolls = part_length > 0
    demand.cap = cap + carried(KEYS[place * 2 + 1], carry)
    local report, parts = number(), {}
    for _ = 1, number() do
        parts[#parts + 1] = {number(), number()}
    end

    local counter = read(demand.key)
    demand.counter = counter
    local first = demand.rolls and math.floor(now / part_length) - part_count + 1 or 0
    for part in pairs(counter.parts) do
        if part < first then
            counter.parts[part] = nil
            demand.gone['s' .. whole(part)] = true
        end
    end
    for name, lease in pairs(counter.leases) do
        if lease.seen <= now - forgotten_after then
            counter.leases[name] = nil
            demand.gone['h' .. name] = true
        end
    end
    local own = counter.leases[holder] or {amount = 0, expires = 0, seen = 0, call = 0, report = 0}
    counter.leases[holder] = own
    demand.own, demand.late = own, call <= own.call

    local kept = own.amount
    if not demand.late then
        if report > own.report then
            own.report = report
            local sum = 0
            for _, pair in ipairs(parts) do
                local part, spent = pair[1], pair[2]
                sum = sum + spent
                if part >= first then
                    counter.parts[part] = (counter.parts[part] or 0) + spent
                    demand.changed[part] = true
                end
            end
            kept = math.max(kept - sum, 0)
        end
        own.call = call
    end

    demand.spent, demand.others, demand.nodes = spent_of(counter), 0, 0
    demand.base = own.amount
    for name, lease in pairs(counter.leases) do
        if name ~= holder then
            demand.others = demand.others + lease.amount
        end
    end
    if not demand.late then
        local free = math.max(demand.cap - demand.spent - demand.others - kept, 0)
        demand.base = math.max(math.min(demand.held, kept + free), demand.outstanding)
        own.expires, own.seen = now + lasts, now
    end
    for _, lease in pairs(counter.leases) do
        if lease.seen > now - lively then
            demand.nodes = demand.nodes + 1
        end
    end
    demand.nodes = math.max(demand.nodes, 1)
    demand.need = math.max(demand.required - demand.base, 0)
    demand.available = demand.cap - demand.spent - demand.others - demand.base
    demand.recalled = now < counter.recall
    demand.lacks = demand.late or (demand.need > 0 and demand.need > demand.available)
    return demand
end

local function lease(demand)
    local required = demand.base + demand.need
    local share = math.max(math.floor((demand.available - demand.need) / (shares * demand.nodes)), 0)
    local more = demand.recalled and 0 or math.min(math.max(demand.wished - required, 0), share)
    demand.own.amount = required + more
end

local function refuse(demand)
    if not demand.late then
        demand.own.amount = demand.base
    end
    local wanted = demand.lacks and not demand.late and demand.others > 0
    if wanted and demand.counter.recall < now + recall_lasts / 2 then
        demand.counter.recall = now + recall_lasts
        redis.call('HSET', demand.key, 'recall', whole(now + recall_lasts))
        redis.call('PUBLISH', channel, organization .. ' ' .. demand.name)
    end
end

local function write(demand)
    for field in pairs(demand.gone) do
        redis.call('HDEL', demand.key, field)
    end
    for part in pairs(demand.changed) do
        redis.call('HSET', demand.key, 's' .. whole(part), whole(demand.counter.parts[part]))
    end
    local own = demand.own
    local fields = {whole(own.amount), whole(own.expires), whole(own.seen), whole(own.call), whole(own.report)}
    redis.call('HSET', demand.key, 'cap', whole(demand.cap), 'h' .. holder, table.concat(fields, ' '))
    local expires, for_ever = now, false
    for _, other in pairs(demand.counter.leases) do
        expires = math.max(expires, other.expires)
    end
    if demand.spent ~= 0 then
        for_ever = demand.kept_until == 0 and demand.kept_for == 0
        expires = math.max(expires, demand.kept_until, now + demand.kept_for)
    end
    if for_ever then
        redis.call('PERSIST', demand.key)
    else
        redis.call('PEXPIREAT', demand.key, whole(expires + grace))
    end
end

local function answer(demand)
    local oldest = -1
    if demand.rolls then
        for part, spent in pairs(demand.counter.parts) do
            if spent > 0 and (oldest < 0 or part < oldest) then
                oldest = part
            end
        end
    end
    return {
        demand.own.amount, demand.spent, demand.others, demand.cap, demand.nodes, oldest,
        demand.lacks and 1 or 0, demand.recalled and 1 or 0,
    }
end

local demands, granted = {}, true
for place = 1, (#KEYS - 1) / 2 do
    local demand = tell(place)
    demands[place] = demand
    granted = granted and not demand.lacks
end
local answers = {{now, granted and 1 or 0}}
for _, demand in ipairs(demands) do
    if granted then
        lease(demand)
    else
        refuse(demand)
    end
    write(demand)
    answers[#answers + 1] = answer(demand)
end
return answers
