/// `mode` and `group` beside an `address`.
enum FileAccessSection {
    /// - Parameters:
    ///   - keys: The rows of both.
    ///   - otherwise: What holds without `mode`, for a message.
    /// - Returns: `nil` where there are none, or wrong ones, which is reported.
    static func settings(
        _ mapping: MappingReader, _ keys: Keys.FileAccess, of address: Address, otherwise: String
    ) -> FileAccessSettings? {
        guard case .unix = address else {
            mapping.refuse([keys.mode, keys.group], "is for a Unix socket: \(address) has no file")
            return nil
        }
        let mode = mapping.value(keys.mode)
        let group = mapping.value(keys.group)
        if !mapping.has(keys.mode) {
            mapping.report(keys.group, "needs `mode: \"0660\"`: without it \(otherwise)")
        }
        return mode.map { FileAccessSettings(mode: $0, group: group) }
    }
}
