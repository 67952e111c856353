/// Which of a listener's certificates goes with the host name that a client asks for.
struct ServerNames {
    /// Lower case names, and the certificate's index.
    private var exact: [String: Int] = [:]
    /// What follows the `*.` of wildcard names.
    private var wildcards: [String: Int] = [:]

    /// - Parameter names: each certificate's names. Of two with the same name the first has it.
    init(_ names: [[String]]) {
        for (index, names) in names.enumerated() {
            for name in names.map({ $0.lowercased() }) {
                if name.hasPrefix("*.") {
                    let domain = String(name.dropFirst(2))
                    self.wildcards[domain] = self.wildcards[domain] ?? index
                } else {
                    self.exact[name] = self.exact[name] ?? index
                }
            }
        }
    }

    /// The certificate for a name: one with exactly this name, else one where `*` stands for its first label
    /// (RFC 9525 section 6.3), else the first of all.
    func index(for name: String) -> Int {
        var name = name.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        if let index = self.exact[name] { return index }
        guard let dot = name.firstIndex(of: "."), dot != name.startIndex else { return 0 }
        return self.wildcards[String(name[name.index(after: dot)...])] ?? 0
    }
}
