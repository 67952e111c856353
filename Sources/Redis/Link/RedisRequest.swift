/// What a server is asked to do.
enum RedisRequest {
    case command(RedisCommand)
    case script(Script, keys: [[UInt8]], arguments: [[UInt8]])

    /// - Parameter isKnown: whether the server has the script.
    func command(scriptIsKnown isKnown: Bool) -> RedisCommand {
        switch self {
        case .command(let command): return command
        case .script(let script, let keys, let arguments):
            let name = isKnown ? "EVALSHA" : "EVAL"
            let words = [
                Array(name.utf8), Array((isKnown ? script.digest : script.text).utf8), Array("\(keys.count)".utf8),
            ]
            return RedisCommand(words + keys + arguments)
        }
    }

    /// About how many bytes it has.
    var size: Int {
        switch self {
        case .command(let command): command.words.reduce(0) { $0 + $1.count }
        case .script(_, let keys, let arguments): (keys + arguments).reduce(0) { $0 + $1.count }
        }
    }
}
