internal import CCrypt
internal import COpenSSL
internal import HTTP1

/// The hash of a password, as htpasswd and mkpasswd write it: `$2y$…` (bcrypt), `$y$…` (yescrypt), `$6$…` (SHA-512).
struct PasswordHash: Equatable, Sendable {
    /// Why a text is no hash that can be used.
    struct Mistake: Error, Equatable {
        /// The end of a sentence that begins with the hash.
        let problem: String
    }

    /// As the file has it.
    let text: String

    /// - Throws: `Mistake` for hashes of other kinds, and for those that crypt(3) does not take.
    init(_ text: String) throws(Mistake) {
        guard Self.accepted.contains(where: text.hasPrefix) else {
            let kind = Self.kinds.first { text.hasPrefix($0.prefix) }?.name ?? Self.kindWithoutPrefix(text)
            throw Mistake(problem: "is \(kind): make one of bcrypt, yescrypt or sha512, such as with `htpasswd -B`")
        }
        self.text = text
        // A text that is cut has the right beginning, and no password fits it.
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }), self.isWhole else {
            throw Mistake(problem: "is damaged")
        }
        guard self.isAffordable else {
            throw Mistake(
                problem:
                    "takes too long to check: make one of bcrypt with a cost of 4 to 16, or of sha512 with up to 10000000 rounds"
            )
        }
    }

    private static let accepted = ["$2y$", "$2b$", "$2a$", "$y$", "$6$"]

    /// Others that files have.
    private static let kinds = [
        (prefix: "{SHA}", name: "SHA-1 without salt, which is found out in no time"),
        (prefix: "{SSHA}", name: "SHA-1, which is found out fast"),
        (prefix: "$apr1$", name: "MD5 (`$apr1$`), which is found out fast"),
        (prefix: "$1$", name: "MD5 (`$1$`), which is found out fast"),
        (prefix: "$5$", name: "SHA-256 (`$5$`)"),
        (prefix: "$md5", name: "MD5 (`$md5`), which is found out fast"),
        (prefix: "$3$", name: "an NT hash, which is found out in no time"),
        (prefix: "$7$", name: "scrypt (`$7$`)"),
        (prefix: "$gy$", name: "gost-yescrypt (`$gy$`)"),
        (prefix: "$argon2", name: "argon2, which crypt(3) does not know"),
        (prefix: "{PLAIN}", name: "a password that is not hashed"),
    ]

    /// Older than kinds, or no hash: `htpasswd` writes passwords as they are if it is told to.
    private static func kindWithoutPrefix(_ text: String) -> String {
        let isDES =
            text.utf8.count == 13 && text.utf8.allSatisfy { $0.isLetter || $0.isDigit || "./".utf8.contains($0) }
        return isDES ? "DES, of which only eight characters count" : "of an unknown kind, or no hash"
    }

    /// Its length fits its kind.
    private var isWhole: Bool {
        let parts = self.text.split(separator: "$", omittingEmptySubsequences: false)
        return switch parts.count {
        // `$2y$10$` and 22 characters of salt, 31 of the hash.
        case 4 where self.text.hasPrefix("$2"): parts[2].utf8.count == 2 && parts[3].utf8.count == 53
        // `$6$SALT$` or `$6$rounds=N$SALT$`, and 86 characters of the hash.
        case 4...5 where self.text.hasPrefix("$6$"): parts.last?.utf8.count == 86
        // `$y$PARAMETERS$SALT$`, and 43 characters of the hash.
        case 5 where self.text.hasPrefix("$y$"): parts.last?.utf8.count == 43
        default: false
        }
    }

    /// Bcrypt doubles its time with each step of the cost: 16 is half a minute. What yescrypt can be told is little more than that.
    private var isAffordable: Bool {
        let parts = self.text.split(separator: "$")
        func number(_ text: Substring) -> Int { text.utf8.allSatisfy(\.isDigit) ? Int(text) ?? 0 : 0 }
        if self.text.hasPrefix("$2") { return (4...16).contains(number(parts[1])) }
        guard parts[1].hasPrefix("rounds=") else { return true }
        return (1000...10_000_000).contains(number(parts[1].dropFirst(7)))
    }

    /// Whether it is that of a password. It takes tenths of seconds, which is its purpose.
    ///
    /// - Parameter password: without zeros.
    func matches(_ password: String) -> Bool {
        guard let hashed = Self.crypt(password, self.text) else { return false }
        return ConstantTime.areEqual(hashed, Array(self.text.utf8))
    }

    /// The hash of a password with the kind, the cost and the salt of another one; `nil` where crypt(3) fails.
    private static func crypt(_ password: String, _ setting: String) -> [UInt8]? {
        let size = Int(shim_crypt_data_size)
        // Sound: `crypt_rn` writes to this memory only, which has the size and the alignment of its structure, begins as zeros, and lives until
        // its result, which points into it, is copied. It has the password in it, so it is overwritten.
        let data = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        unsafe data.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        defer {
            unsafe OPENSSL_cleanse(data, size)
            unsafe data.deallocate()
        }
        guard let hashed = unsafe crypt_rn(password, setting, data, Int32(size)) else { return nil }
        return unsafe Array(String(cString: hashed).utf8)
    }
}
