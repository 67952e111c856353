public import Configuration

extension RouteCredentials {
    /// What is known of what a request shows.
    public enum Worth: Sendable {
        case verdict(Verdict)
        /// `PasswordFile.accepts` has to say whether it is right, which takes long, unless it is remembered.
        case password(BasicCredential, of: PasswordFile, BasicSettings)
        /// The auth service has to be asked.
        case asked(ForwardSettings)
        /// There is nothing to verify it with. The reason is for the log.
        case unverifiable(String)
    }

    /// What a credential is worth.
    ///
    /// - Parameters:
    ///   - shown: what a request shows.
    ///   - certificate: that of its connection, which was verified.
    ///   - files: what is in force.
    ///   - now: seconds since 1970.
    public func worth(
        of shown: Shown, certificate: CertificateIdentity?, by files: KeysAndUsers, now: Int64
    ) -> Worth {
        switch shown {
        case .token(let token, let kind):
            guard case .jwt(let settings) = self.kinds[kind], let keys = files.keys[settings.keys] else {
                return .unverifiable("there are no keys yet")
            }
            return .verdict(TokenCheck(settings).verdict(on: token, keys: keys, now: now))
        case .password(let credential, let kind):
            guard case .basic(let settings) = self.kinds[kind], let users = files.users[settings.file] else {
                return .unverifiable("there are no users")
            }
            return .password(credential, of: users, settings)
        case .certificate(let kind):
            guard case .certificate(let settings) = self.kinds[kind], let certificate else {
                return .unverifiable("the certificate cannot be read")
            }
            return .verdict(CertificateCheck(settings).verdict(on: certificate))
        case .refused(let flaw): return .verdict(.refused(flaw))
        case .forward(let kind):
            guard case .forward(let settings) = self.kinds[kind] else {
                return .unverifiable("there is no auth service")
            }
            return .asked(settings)
        case .missing, .missingCertificate: return .unverifiable("nothing is shown")
        }
    }

    /// The URL from which the keys come that a token is verified with; `nil` for files and for everything else.
    public func keysFromURL(for shown: Shown) -> (source: KeySource, url: WebURL)? {
        guard case .token(_, let kind) = shown, case .jwt(let settings) = self.kinds[kind],
            case .url(let url, _) = settings.keys
        else { return nil }
        return (settings.keys, url)
    }

    /// Keys that may have changed since they were fetched: a token names one that is not among them.
    public func outdatedKeys(after verdict: Verdict, on shown: Shown) -> KeySource? {
        guard case .refused(.unknownKey) = verdict else { return nil }
        return self.keysFromURL(for: shown)?.source
    }
}
