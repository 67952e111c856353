extension Script {
    /// Publishes a message: takes its offset, appends it to the history, which is capped, and remembers the answer.
    ///
    /// - Keys: position, history, and the answer to an `Idempotency-Key` if there is one.
    /// - Arguments: channel, payload, `t` or `b`, excluded session or `-`, receivers, an epoch for a new room, the most messages (0: no
    ///   history), how long they are kept, how long the position is, how long the answer is; times in milliseconds.
    /// - Answer: 1 if it is new, offset, epoch, receivers.
    ///
    /// The first write is one that can be refused for lack of memory, so that nothing is left behind half done. Offsets are written with `%.0f`,
    /// because Lua writes large numbers with an exponent.
    static let publish = Script(
        """
        if KEYS[3] then
          local known = redis.call('HMGET', KEYS[3], 'o', 'e', 'r')
          if known[3] then return {0, tonumber(known[1]), known[2], tonumber(known[3])} end
        end
        local time = redis.call('TIME')
        local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
        local offset, epoch, shown = 0, '', '- -'
        if tonumber(ARGV[7]) > 0 then
          local position = redis.call('HMGET', KEYS[1], 'e', 'o')
          epoch, offset = position[1], tonumber(position[2] or 0) + 1
          if not epoch then
            epoch, offset = ARGV[6], 1
            redis.call('HSET', KEYS[1], 'e', epoch, 'o', '0')
            redis.call('DEL', KEYS[2])
          end
          shown = string.format('%.0f', offset) .. ' ' .. epoch
        end
        local message = '1 ' .. shown .. ' ' .. at .. ' ' .. ARGV[3] .. ' ' .. ARGV[4] .. '\\n' .. ARGV[2]
        if offset > 0 then
          redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[7], string.format('%.0f', offset) .. '-0', 'm', message)
          redis.call('HSET', KEYS[1], 'e', epoch, 'o', string.format('%.0f', offset))
          redis.call('PEXPIRE', KEYS[2], ARGV[8])
          redis.call('PEXPIRE', KEYS[1], ARGV[9])
        end
        if KEYS[3] then
          redis.call('HSET', KEYS[3], 'o', string.format('%.0f', offset), 'e', epoch, 'r', ARGV[5])
          redis.call('PEXPIRE', KEYS[3], ARGV[10])
        end
        redis.call('PUBLISH', ARGV[1], message)
        return {1, offset, epoch, tonumber(ARGV[5])}
        """)

    /// Reads history, oldest message first, and keeps the position for as long again. A room that is new gets its epoch, so that a client
    /// that leaves before the first message misses none.
    ///
    /// - Keys: position, history.
    /// - Arguments: an epoch for a new room, how long the position is kept in milliseconds, what is asked (`since`, `last` or `none`), the
    ///   epoch and the offset of `since` or nothing and the number of `last`, the most bytes, after which no further message is added.
    /// - Answer: epoch, last offset, 1 if nothing is missing, the messages.
    static let recover = Script(
        """
        local position = redis.call('HMGET', KEYS[1], 'e', 'o')
        local epoch, last = position[1], tonumber(position[2] or 0)
        if not epoch then
          epoch, last = ARGV[1], 0
          redis.call('HSET', KEYS[1], 'e', epoch, 'o', '0')
          redis.call('DEL', KEYS[2])
        end
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        local number = tonumber(ARGV[5])
        local offset = last
        if ARGV[3] == 'since' then
          if ARGV[4] ~= epoch or number > last then return {epoch, last, 0, {}} end
          offset = number
        elseif ARGV[3] == 'last' then
          local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
          if first then offset = math.max(last - number, tonumber(string.match(first[1], '^%d+')) - 1) end
        end
        local messages, size = {}, 0
        while offset < last and size < tonumber(ARGV[6]) do
          local page = redis.call('XRANGE', KEYS[2], string.format('%.0f', offset + 1), '+', 'COUNT', 16)
          if #page == 0 then return {epoch, last, 0, {}} end
          for _, entry in ipairs(page) do
            if tonumber(string.match(entry[1], '^%d+')) ~= offset + 1 then return {epoch, last, 0, {}} end
            offset = offset + 1
            messages[#messages + 1] = entry[2][2]
            size = size + #entry[2][2]
            if size >= tonumber(ARGV[6]) then break end
          end
        end
        return {epoch, last, 1, messages}
        """)
}
