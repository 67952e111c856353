/// `allow` of a listener, a route or `defaults`.
enum AllowSection {
    /// - Returns: `nil` where it is not written.
    static func networks(_ mapping: MappingReader, _ row: ListKey<IPNetwork>) -> [IPNetwork]? {
        // Nothing in a variable must not open to everyone what was meant for a few.
        if mapping.entry(row)?.value.isVariable == true, mapping.nodes(row)?.isEmpty == true {
            mapping.report(row, "is a variable without addresses: write `[]` to let everyone in")
        }
        return mapping.values(row)
    }
}
