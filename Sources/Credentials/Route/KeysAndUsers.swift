/// What is in the files that a configuration verifies credentials with.
public struct KeysAndUsers: Sendable {
    /// The keys of tokens, by the path of their file.
    public var keys: [String: KeySet] = [:]
    /// The users of `basic`, by the path of their file.
    public var users: [String: PasswordFile] = [:]

    /// No files.
    public init() {}
}
