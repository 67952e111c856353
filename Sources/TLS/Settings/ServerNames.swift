/// Finds the certificates of a listener for the host name that a client asks for: one of each kind of key. libssl then chooses
/// one that the client can verify.
struct ServerNames {
    /// What has to be known of a certificate.
    struct Entry {
        let names: [String]
        let kind: Certificate.Kind
    }

    /// A name of the certificate at `index` for which it is never shown: the one at `by` has the same name and kind, and comes
    /// first.
    struct Shadowed: Equatable {
        let index: Int
        let name: String
        let by: Int
    }

    /// Indices of certificates that are used together. All groups differ, and the default is the first.
    private(set) var groups: [[Int]] = []
    /// What is configured and never shown.
    private(set) var shadowed: [Shadowed] = []
    /// The index of the group for each name, in lower case.
    private var exact: [String: Int] = [:]
    /// The same for wildcard names, without their `*.`.
    private var wildcards: [String: Int] = [:]

    /// - Parameter certificates: at least one. Of two with the same name and kind the first one has the name.
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

    /// The first certificate, and the first of each other kind that has all of its names.
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

    /// The index of the group for a name: that of exactly this name, else of a wildcard that stands for its first label (RFC
    /// 9525 section 6.3), else the default.
    func group(for name: String) -> Int {
        var name = name.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        if let group = self.exact[name] { return group }
        guard let dot = name.firstIndex(of: "."), dot != name.startIndex else { return 0 }
        return self.wildcards[String(name[name.index(after: dot)...])] ?? 0
    }
}
