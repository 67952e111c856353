/// The timeouts and limits of listeners in `defaults` or a listener, as changes to a listener.
struct ListenerRules {
    private var changes = Changes<ListenerSettings>()

    /// - Parameters:
    ///   - timeouts: The mapping under that key, if it is written.
    ///   - limits: Likewise.
    init(timeouts: MappingReader?, limits: MappingReader?) {
        self.changes.append(timeouts?.changes(), to: \.timeouts)
        self.changes.append(limits?.changes(), to: \.limits)
    }

    func apply(to listener: inout ListenerSettings) { self.changes.apply(to: &listener) }
}
