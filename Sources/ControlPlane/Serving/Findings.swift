internal import Configuration
internal import DataPlane
internal import System

/// What a configuration refers to: its files, the addresses of its listeners' names, and their groups. It is found before the
/// configuration is put in force, because a file system or a name server may take its time.
struct Findings {
    var files = FileSet()
    /// Of the listeners that have to be opened and are named by host.
    var addresses: [Address: Result<[SocketAddress], ResolveError>] = [:]
    /// Of the groups that listeners name: their numbers; `nil`: there is no such group.
    var groups: [String: Result<UInt32?, FileError>] = [:]

    /// Finds what a configuration refers to. Nothing waits for it but `then`.
    static func find(
        _ configuration: GatewayConfiguration, _ listeners: ListenerSet, _ reader: FileReader, _ names: NameRefresh,
        then: @escaping (Findings) -> Void
    ) {
        reader.read(CertificateFiles.files(of: configuration)) { files in
            names.lookUp(listeners.addressesToLookUp(configuration.listeners)) { addresses in
                reader.look(upGroups: configuration.listeners.compactMap(\.access?.group)) { groups in
                    then(Findings(files: files, addresses: addresses, groups: groups))
                }
            }
        }
    }

    /// The same at start, when the control thread has nothing else to do.
    static func now(
        _ configuration: GatewayConfiguration, _ listeners: ListenerSet, _ reader: FileReader, _ names: NameRefresh,
        on loop: EventLoop
    ) -> Findings {
        var found: Findings?
        self.find(configuration, listeners, reader, names) { found = $0 }
        while true {
            if let found { return found }
            loop.turn()
        }
    }
}
