public import Configuration

/// What a configuration verifies credentials with.
public struct KeysAndUsers: Sendable {
    /// The keys of tokens. Those of a URL are missing until they were fetched for the first time.
    public var keys: [KeySource: KeySet] = [:]
    /// The users of `basic`, by the path of their file.
    public var users: [String: PasswordFile] = [:]

    /// Nothing.
    public init() {}
}
