internal import TLS

/// A script that the server runs as one step (Lua). What it needs is in its keys and arguments.
struct Script: Hashable {
    let text: String
    /// The name that the server has for it: SHA-1 in hexadecimal digits.
    let digest: String

    init(_ text: String) {
        self.text = text
        self.digest = Digest.sha1(Array(text.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.utf8.count == 1 ? "0" + digits : digits
        }.joined()
    }

    static func == (left: Self, right: Self) -> Bool { left.digest == right.digest }
    func hash(into hasher: inout Hasher) { hasher.combine(self.digest) }
}
