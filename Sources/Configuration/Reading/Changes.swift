/// The settings that a mapping of the file changes. The changes of several mappings are applied one after the other: those of `defaults`,
/// then those of a route.
struct Changes<Settings> {
    private var changes: [(inout Settings) -> Void] = []

    mutating func append(_ change: @escaping (inout Settings) -> Void) { self.changes.append(change) }

    /// Adds changes of a part of the settings, if something is written of it.
    mutating func append<Part>(_ part: Changes<Part>?, to path: WritableKeyPath<Settings, Part>) {
        guard let part else { return }
        self.append { part.apply(to: &$0[keyPath: path]) }
    }

    /// Adds a new value of a property, if one is written.
    mutating func append<Value>(_ value: Value?, to path: WritableKeyPath<Settings, Value>) {
        guard let value else { return }
        self.append { $0[keyPath: path] = value }
    }

    func apply(to settings: inout Settings) {
        for change in self.changes { change(&settings) }
    }

    /// The settings with these changes.
    func applied(to settings: Settings) -> Settings {
        var settings = settings
        self.apply(to: &settings)
        return settings
    }
}
