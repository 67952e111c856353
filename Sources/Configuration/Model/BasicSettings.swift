/// `basic:` a user and a password.
public struct BasicSettings: Equatable, Sendable, KeyedSettings {
    /// What `send` can put into a field.
    public enum Source: String, CaseIterable, Sendable {
        /// The name of the user.
        case user
    }

    /// `file`: an htpasswd file.
    public var file: String
    /// `realm`: what a browser shows when it asks for the password.
    public var realm = Keys.basic.realm.default
    /// `send`: what backends get.
    public var send: [SentField<Source>] = []

    /// Settings in which every other key is absent.
    public init(file: String) {
        self.file = file
    }

    static let fields = [Field(Keys.basic.realm, \Self.realm)]
}
