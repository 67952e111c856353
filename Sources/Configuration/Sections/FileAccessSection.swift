/// `mode` and `group` beside an `address`.
enum FileAccessSection {
    /// - Parameter otherwise: what holds without `mode`, for a message.
    /// - Returns: `nil` where there are none, or wrong ones, which is reported.
    static func settings(
        _ mapping: MappingReader, of address: Address, otherwise: String
    ) -> FileAccessSettings? {
        guard case .unix = address else {
            mapping.refuse(["mode", "group"], "is for a Unix socket: \(address) has no file")
            return nil
        }
        let mode = mapping.value("mode", Word.mode)
        let group = mapping.value("group", Word.name)
        if !mapping.has("mode") {
            mapping.report("group", "needs `mode: \"0660\"`: without one \(otherwise)")
        }
        return mode.map { FileAccessSettings(mode: $0, group: group) }
    }
}
