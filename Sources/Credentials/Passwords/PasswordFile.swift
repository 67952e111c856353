internal import HTTP1

/// The users of a route, with the hashes of their passwords: an htpasswd file.
public struct PasswordFile: Sendable {
    /// Why a file cannot be used.
    public struct Mistake: Error, Equatable, Sendable, CustomStringConvertible {
        /// From 1; `nil`: it is about all of the file.
        public let line: Int?
        /// A sentence without the line.
        public let problem: String

        /// "line 3: …"
        public var description: String { self.line.map { "line \($0): \(self.problem)" } ?? self.problem }
    }

    /// All that is wrong with a file, in its order. Never empty.
    public struct Failure: Error, Equatable, Sendable {
        /// In the order of the lines.
        public let mistakes: [Mistake]
    }

    /// By the bytes of the names: two names that look the same are two users.
    private let hashes: [[UInt8]: PasswordHash]
    /// What an unknown user's password is compared with.
    private let decoy: PasswordHash

    /// Reads the lines `USER:HASH`. Empty lines, and those that begin with `#`, are left out.
    ///
    /// - Throws: `Failure` for a file with a mistake, and for one without users.
    public init(parsing bytes: [UInt8]) throws(Failure) {
        var hashes: [[UInt8]: PasswordHash] = [:]
        var lines: [[UInt8]: Int] = [:]
        var decoy: PasswordHash?
        var mistakes: [Mistake] = []
        let pieces = bytes.split(separator: .lineFeed, omittingEmptySubsequences: false)
        for (index, piece) in pieces.enumerated() {
            let line = piece.last == .carriageReturn ? piece.dropLast() : piece
            guard let first = line.first(where: { !$0.isWhitespace }), first != UInt8(ascii: "#") else { continue }
            do throws(Refused) {
                let (user, hash) = try Self.entry(line)
                if let other = lines[user] { throw Refused(problem: "the user is on line \(other) already") }
                lines[user] = index + 1
                hashes[user] = hash
                decoy = decoy ?? hash
            } catch {
                mistakes.append(Mistake(line: index + 1, problem: error.problem))
            }
        }
        if hashes.isEmpty, mistakes.isEmpty { mistakes = [Mistake(line: nil, problem: "it has no users")] }
        guard mistakes.isEmpty, let decoy else { throw Failure(mistakes: mistakes) }
        self.hashes = hashes
        self.decoy = decoy
    }

    private struct Refused: Error {
        let problem: String
    }

    private static func entry(_ line: ArraySlice<UInt8>) throws(Refused) -> ([UInt8], PasswordHash) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw Refused(problem: "there is no `:` between user and hash")
        }
        let user = Array(line[..<colon])
        guard !user.isEmpty, let name = String(validating: user, as: UTF8.self), FieldValue.flaw(of: name) == nil else {
            throw Refused(problem: "the user is empty, not UTF-8, or has control characters or spaces at its ends")
        }
        // Some programs write more behind another colon.
        let rest = line[(colon + 1)...].prefix { $0 != UInt8(ascii: ":") }
        do {
            return (user, try PasswordHash(String(decoding: rest, as: UTF8.self)))
        } catch {
            throw Refused(problem: "the hash of `\(name)` \(error.problem)")
        }
    }

    /// Whether a password is that of its user. It takes tenths of seconds, also where there is no such user, so that time does not tell
    /// which users there are: it is for threads that may wait.
    public func accepts(_ credential: BasicCredential) -> Bool {
        let hash = self.hash(of: credential.user)
        let isRight = (hash ?? self.decoy).matches(credential.password)
        return isRight && hash != nil
    }

    func hash(of user: String) -> PasswordHash? { self.hashes[Array(user.utf8)] }
}
