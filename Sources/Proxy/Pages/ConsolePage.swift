internal import Configuration

/// The page to try routes with, which offers those that there are.
enum ConsolePage {
    /// The most that are offered.
    private static let mostPaths = 50
    /// Behind which they are written.
    private static let place = Array(#"<datalist id="routes">"#.utf8)

    /// Paths to open sessions at: of each route that answers at a host, one that leads to it.
    ///
    /// - Parameters:
    ///   - table: of the same configuration.
    ///   - host: as `Authority.host`.
    static func paths(of configuration: GatewayConfiguration, _ table: RouteTable, host: String) -> [String] {
        var paths: [String] = []
        for (index, route) in configuration.routes.enumerated() where paths.count < self.mostPaths {
            guard case .backend(let backend) = route.action else { continue }
            let hasRooms = configuration.backends[backend]?.kind == .builtin(.broadcast)
            let path = self.examples(of: route.path, hasRooms: hasRooms).first { path in
                table.match(host: host, path: (try? RequestTarget.normalised(path)) ?? path) == index
            }
            if let path { paths.append(path) }
        }
        return paths
    }

    /// Paths that match a pattern, likely ones first.
    private static func examples(of pattern: PathPattern, hasRooms: Bool) -> [String] {
        switch pattern {
        case .exact(let path): [path]
        case .subtree(let prefix) where hasRooms: [prefix + "lobby"]
        case .subtree(let prefix): [prefix, prefix + "lobby"]
        }
    }

    /// The page.
    static func html(offering paths: [String]) -> [UInt8] {
        let page = PackageResources.console_html
        guard let start = self.start(in: page) else { return page }
        return page[..<start] + paths.flatMap { #"<option value="\#(self.escaped($0))">"#.utf8 } + page[start...]
    }

    private static func start(in page: [UInt8]) -> Int? {
        let starts = page.indices.lazy.filter { page[$0...].starts(with: self.place) }
        return starts.first.map { $0 + self.place.count }
    }

    /// As the value of an attribute (HTML, section 13.1.2.3).
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
