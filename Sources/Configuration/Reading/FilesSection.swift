/// `files:` of a route.
enum FilesSection {
    /// A folder or a file alone, or a mapping.
    ///
    /// - Parameter path: The route's own; `nil`: it is wrong, which is reported.
    /// - Returns: `nil` for mistakes, which are reported.
    static func settings(_ route: MappingReader, on path: PathPattern?) -> FilesSettings? {
        let (key, keys) = (Keys.route.files, Keys.files)
        guard case .mapping? = route.entry(key)?.value.content else {
            return route.value(key, keys.folder.type.read).map { FilesSettings($0) }
        }
        guard let mapping = route.mapping(key) else { return nil }
        if case .exact? = path {
            route.report(key, "has a folder, so the path must end with `/*`: for one file write its path alone")
        }
        let folder = mapping.value(keys.folder)
        let fallback = mapping.value(keys.fallback, Self.fallback)
        return folder.map { FilesSettings($0, fallback: fallback) }
    }

    private static func fallback(_ text: String) throws(Mistake) -> String {
        func refused(_ hint: String) -> Mistake { .expected("a path such as `/index.html`", not: text, hint: hint) }
        guard text.hasPrefix("/") else { throw refused("it begins at the folder, with `/`") }
        for segment in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard !segment.isEmpty else { throw refused("it must name a file") }
            guard !segment.hasPrefix(".") else { throw refused("hidden files are not served") }
        }
        guard !text.utf8.contains(0) else { throw refused("it must name a file") }
        return text
    }
}

extension RouteSection {
    /// Reports what cannot stand beside `files`.
    func reportBesideFiles(_ http: PlainHTTP?, _ encodedSlashes: PathPattern.EncodedSlashes?) {
        guard self.mapping.has(Keys.route.files) else { return }
        if http == .pass {
            self.mapping.report(Keys.route.http, "cannot be `pass` beside `files`: all but upgrades are files")
        }
        if encodedSlashes == .keep {
            self.mapping.report(
                Keys.route.encodedSlashes, "cannot be `keep` beside `files`: no file has a `/` in its name")
        }
    }
}
