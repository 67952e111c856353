/// Which passwords were right within the last minute, so that not every request of a page waits for its hash. It has no password, only keyed
/// hashes, with a key that is nowhere else.
public struct PasswordMemory: Sendable {
    /// How long a right password is remembered.
    public static let period = Duration.seconds(60)

    private let key: [UInt8]
    private let most: Int
    /// Until when, by keyed hash.
    private var ends: [[UInt8]: Duration] = [:]

    /// - Parameter most: how many are remembered.
    public init(most: Int = 10_000) {
        self.most = most
        self.key = HMAC.makeKey()
    }

    /// Whether a password was right, and still would be: another hash in the file makes it unknown.
    ///
    /// - Parameter now: since an arbitrary zero.
    public func knows(_ credential: BasicCredential, of file: PasswordFile, now: Duration) -> Bool {
        guard let digest = self.digest(credential, file), let end = self.ends[digest] else { return false }
        return now < end
    }

    /// Remembers a password that was right.
    public mutating func remember(_ credential: BasicCredential, of file: PasswordFile, now: Duration) {
        guard let digest = self.digest(credential, file) else { return }
        if self.ends.count >= self.most {
            self.ends = self.ends.filter { now < $0.value }
            // All are new. What is forgotten only costs another hash.
            if self.ends.count >= self.most { self.ends.removeAll(keepingCapacity: true) }
        }
        self.ends[digest] = now + Self.period
    }

    /// Of the user, the hash in the file and the password, with zeros between them, which none of them has. `nil` for an unknown user.
    private func digest(_ credential: BasicCredential, _ file: PasswordFile) -> [UInt8]? {
        guard let hash = file.hash(of: credential.user) else { return nil }
        let bytes = Array(credential.user.utf8) + [0] + Array(hash.text.utf8) + [0] + Array(credential.password.utf8)
        return HMAC.value(of: bytes, key: self.key, hash: "SHA256")
    }
}
