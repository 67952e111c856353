internal import Admission
internal import Configuration

/// The page for trying routes. It offers the paths of the configured ones.
enum ConsolePage {
    /// The most paths that are offered.
    private static let mostPaths = 50
    /// The most routes that are tried out: others may hide them, in the worst case all of thousands.
    private static let mostLooks = 100
    /// The page in two parts; the paths go between them.
    private static let parts: (before: ArraySlice<UInt8>, behind: ArraySlice<UInt8>) = {
        let page = PackageResources.console_html
        let place = Array(#"<datalist id="routes">"#.utf8)
        let start = page.indices.first { page[$0...].starts(with: place) } ?? page.endIndex
        let end = min(start + place.count, page.endIndex)
        return (page[..<end], page[end...])
    }()

    /// For each route that answers at a host, one path that leads to it.
    ///
    /// - Parameters:
    ///   - host: in the form of `Authority.host`.
    ///   - match: the index of the route that a path leads to at that host.
    static func paths(
        of configuration: GatewayConfiguration, host: String, match: (_ path: String) -> Int?
    ) -> [String] {
        var paths: [String] = []
        var looks = 0
        for (index, route) in configuration.routes.enumerated() {
            guard paths.count < self.mostPaths, looks < self.mostLooks else { break }
            guard route.action.opensSessions, let backend = route.action.backend else { continue }
            // With thousands of hosts, this avoids asking the table for most of them.
            guard route.hosts.isEmpty || route.hosts.contains(where: { $0.matches(host) }) else { continue }
            let hasRooms = configuration.backends[backend]?.kind == .builtin(.broadcast)
            let path = self.examples(of: route.path, hasRooms: hasRooms).first { path in
                looks += 1
                return match(path) == index
            }
            if let path { paths.append(path) }
        }
        return paths
    }

    /// Paths that match a pattern, the likeliest first.
    private static func examples(of pattern: PathPattern, hasRooms: Bool) -> [String] {
        switch pattern {
        case .exact(let path): [path]
        case .subtree(let prefix) where hasRooms: [prefix + "lobby"]
        case .subtree(let prefix): [prefix, prefix + "lobby"]
        }
    }

    /// The page as HTML, with these paths.
    static func html(offering paths: [String]) -> [UInt8] {
        let options = paths.map { #"<option value="\#(self.escaped($0))">"# }.joined()
        return Array(self.parts.before) + options.utf8 + self.parts.behind
    }

    /// Escapes an attribute's value (HTML, section 13.1.2.3).
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
