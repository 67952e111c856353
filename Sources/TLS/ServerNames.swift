/// Which of a listener's certificates go with the host name that a client asks for: of each kind of key one, of which libssl takes the one
/// that the client can verify.
struct ServerNames {
    /// A certificate, as far as it matters here.
    struct Entry {
        let names: [String]
        let kind: Certificate.Kind
    }

    /// A name of a certificate that is never shown for it: another of the same kind, which comes first, is.
    struct Shadowed: Equatable {
        let index: Int
        let name: String
        let by: Int
    }

    /// The certificates that are shown together, by their indices, each once; the default first.
    private(set) var groups: [[Int]] = []
    private(set) var shadowed: [Shadowed] = []
    /// Lower case names, and the place of their group.
    private var exact: [String: Int] = [:]
    /// What follows the `*.` of wildcard names.
    private var wildcards: [String: Int] = [:]

    /// - Parameter certificates: at least one. Of two with the same name and kind the first has the name.
    init(_ certificates: [Entry]) {
        var byName: [String: [Int]] = [:]
        var names: [String] = []
        for (index, certificate) in certificates.enumerated() {
            for name in certificate.names.map({ $0.lowercased() }) {
                if byName[name] == nil { names.append(name) }
                let known = byName[name, default: []]
                if let first = known.first(where: { certificates[$0].kind == certificate.kind }) {
                    if first != index { self.shadowed.append(Shadowed(index: index, name: name, by: first)) }
                } else {
                    byName[name] = known + [index]
                }
            }
        }
        var places: [[Int]: Int] = [:]
        func place(of group: [Int]) -> Int {
            if let known = places[group] { return known }
            self.groups.append(group)
            places[group] = self.groups.count - 1
            return self.groups.count - 1
        }
        _ = place(of: Self.defaults(certificates))
        for name in names {
            let group = place(of: byName[name] ?? [])
            if name.hasPrefix("*.") {
                self.wildcards[String(name.dropFirst(2))] = group
            } else {
                self.exact[name] = group
            }
        }
    }

    /// The first of all, and the first of each other kind that has all of its names.
    private static func defaults(_ certificates: [Entry]) -> [Int] {
        let names = Set(certificates[0].names.map { $0.lowercased() })
        var kinds: Set = [certificates[0].kind]
        var group = [0]
        for (index, certificate) in certificates.enumerated() {
            guard names.isSubset(of: certificate.names.map { $0.lowercased() }), !names.isEmpty,
                kinds.insert(certificate.kind).inserted
            else { continue }
            group.append(index)
        }
        return group
    }

    /// The place of the group for a name: of those with exactly this name, else of those where `*` stands for its first label
    /// (RFC 9525 section 6.3), else the default's.
    func group(for name: String) -> Int {
        var name = name.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        if let group = self.exact[name] { return group }
        guard let dot = name.firstIndex(of: "."), dot != name.startIndex else { return 0 }
        return self.wildcards[String(name[name.index(after: dot)...])] ?? 0
    }
}
