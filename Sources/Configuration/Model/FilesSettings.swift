/// `files:` of a route: where the files lie that it serves.
public struct FilesSettings: Equatable, Sendable {
    /// The folder that the route's path stands for up to its `*`; on an exact path this one file.
    public var path: String
    /// `fallback`: the path below the folder, with a slash at its beginning, of the page that answers where no file does; `nil`: 404 does.
    public var fallback: String?

    /// - Parameter path: relative ones begin at the folder that the gateway was started in.
    public init(_ path: String, fallback: String? = nil) {
        self.path = path
        self.fallback = fallback
    }
}
