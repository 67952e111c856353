public import Configuration
internal import HTTP1

/// What a user and a password are worth.
public enum PasswordVerdict {
    /// - Parameters:
    ///   - isRight: what `PasswordFile.accepts` or `PasswordMemory.knows` says of it.
    ///   - settings: `basic` of the route.
    public static func of(_ credential: BasicCredential, isRight: Bool, _ settings: BasicSettings) -> Verdict {
        guard isRight else { return .refused(.password) }
        var fields = HTTPFields()
        for field in settings.send {
            switch field.source {
            case .user: fields.append(field.name, utf8: credential.user)
            }
        }
        return .granted(Grant(subject: credential.user, fields: fields))
    }
}
