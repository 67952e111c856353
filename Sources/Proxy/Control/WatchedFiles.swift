internal import Configuration
internal import EventLoop

/// The files that a configuration names beside itself, as they were when they were read.
///
/// They are looked at from time to time rather than watched: certificates are replaced by renaming, by writing in place, and by turning
/// a symbolic link of a directory somewhere above, and a look sees all of these.
struct WatchedFiles {
    private var stamps: [String: FileStamp?]

    init(_ configuration: GatewayConfiguration) {
        var paths: [String] = []
        for listener in configuration.listeners {
            guard let tls = listener.tls else { continue }
            if case .files(let files) = tls.identity { paths += files.flatMap { [$0.chain, $0.key] } }
            paths += [tls.clientCA].compactMap { $0 }
        }
        paths += configuration.backends.values.compactMap(\.tls.ca)
        self.stamps = Dictionary(paths.map { ($0, FileStamp($0)) }, uniquingKeysWith: { first, _ in first })
    }

    /// Whether a file is not as it was at the last look.
    mutating func haveChanged() -> Bool {
        var haveChanged = false
        for (path, stamp) in self.stamps {
            let now = FileStamp(path)
            guard now != stamp else { continue }
            self.stamps[path] = .some(now)
            haveChanged = true
        }
        return haveChanged
    }
}
