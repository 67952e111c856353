import HTTP1
import Testing

@testable import Credentials

/// Hashes of "correct horse", made by crypt(3) at the least cost.
enum Hashes {
    static let bcrypt = "$2y$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"
    static let yescrypt = "$y$j75$saltsaltsalt$zQziiNee/3jd.PJJvsNgy7GH5uO3HbsUNcQ3Jsopj2B"
    static let sha512 =
        "$6$rounds=1000$saltsalt$4GMtaIz3E1AdDi2SmCokEW0ehi.HdxNDcL3fGE1XXuzvo6kbx7UOloZKONqEk5H3JrQA4NOfU8BmqFPrpGqwA1"
    static let sha512WithoutRounds =
        "$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0"
    /// Of "Zoë's pässword".
    static let beyondASCII = "$y$j75$saltsaltsalt$cZ.Jhfcqj9cAg9Ea0gdnlJ/j3XYoBkXcAHQKtImBiB/"
}

extension BasicCredential {
    /// What a client sends.
    static func sent(_ user: String, _ password: String) throws -> BasicCredential {
        let fields: HTTPFields = ["Authorization": "Basic \(Base64.encoded(Array("\(user):\(password)".utf8).span))"]
        guard case .credential(let credential) = self.find(in: fields) else { throw Flaw.password }
        return credential
    }
}

struct PasswordFileTests {
    private static func file(_ text: String) throws(PasswordFile.Failure) -> PasswordFile {
        try PasswordFile(parsing: Array(text.utf8))
    }

    @Test(arguments: [
        Hashes.bcrypt, Hashes.bcrypt.replacing("$2y$", with: "$2b$"), Hashes.bcrypt.replacing("$2y$", with: "$2a$"),
        Hashes.yescrypt, Hashes.sha512, Hashes.sha512WithoutRounds,
    ])
    func `passwords are checked by all kinds of hashes`(hash: String) throws {
        let file = try Self.file("ann:\(hash)\n")
        #expect(file.accepts(try .sent("ann", "correct horse")))
        for wrong in ["correct hors", "correct horse ", "Correct horse", "", "correct horse:"] {
            #expect(!file.accepts(try .sent("ann", wrong)), "\(wrong)")
        }
    }

    @Test func `passwords may be beyond ASCII, and have colons`() throws {
        let file = try Self.file("zoë:\(Hashes.beyondASCII)")
        #expect(file.accepts(try .sent("zoë", "Zoë's pässword")))
        #expect(!file.accepts(try .sent("zoe\u{308}", "Zoë's pässword")))
        #expect(!file.accepts(try .sent("zoë", "Zoe\u{308}'s pässword")))
    }

    @Test func `an unknown user has no password, not even that of another`() throws {
        let file = try Self.file("ann:\(Hashes.bcrypt)\n")
        #expect(!file.accepts(try .sent("bob", "correct horse")))
        #expect(!file.accepts(try .sent("Ann", "correct horse")))
        #expect(!file.accepts(try .sent("", "correct horse")))
    }

    /// The time of a hash at the least cost is far above that of anything else here.
    @Test func `an unknown user costs a hash, too`() throws {
        let file = try Self.file("ann:\(Hashes.sha512)\n")
        let clock = ContinuousClock()
        let known = try BasicCredential.sent("ann", "wrong")
        let unknown = try BasicCredential.sent("bob", "wrong")
        let (ofKnown, ofUnknown) = (
            (0..<5).map { _ in clock.measure { _ = file.accepts(known) } }.min() ?? .zero,
            (0..<5).map { _ in clock.measure { _ = file.accepts(unknown) } }.min() ?? .zero
        )
        #expect(ofUnknown > ofKnown / 4, "\(ofUnknown) and \(ofKnown)")
    }

    @Test func `comments, empty lines, CR LF and what stands behind another colon are left out`() throws {
        let file = try Self.file(
            "# users\r\n\r\n  # more\r\nann:\(Hashes.bcrypt)\r\nbob:\(Hashes.sha512):1000::\n   \n")
        #expect(file.accepts(try .sent("ann", "correct horse")))
        #expect(file.accepts(try .sent("bob", "correct horse")))
    }

    @Test func `every broken line is reported with its number`() {
        let text = """
            ann:\(Hashes.bcrypt)
            ann:\(Hashes.sha512)
            bob
            :\(Hashes.bcrypt)
             eve:\(Hashes.bcrypt)
            a:{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=
            b:$apr1$saltsalt$Q17bmANhIA7pctgRGqF/S0
            c:$1$salt$9GHNWvCB1UrDZjPi7uags0
            d:$5$salt$eC8iHMk0B/acxRGi4idWiCK/.xXHLUsxovn4V591t3.
            e:$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA
            f:rqXexS6ZhobKA
            g:
            h:\(Hashes.bcrypt.dropLast())
            i:\(Hashes.sha512.dropLast())
            j:\(Hashes.yescrypt.dropLast())
            k:$2y$04$é
            l:correct horse
            m:\(Hashes.bcrypt.replacing("$04$", with: "$17$"))
            n:\(Hashes.bcrypt.replacing("$04$", with: "$03$"))
            o:\(Hashes.bcrypt.replacing("$04$", with: "$+4$"))
            p:\(Hashes.sha512.replacing("=1000$", with: "=10000001$"))
            """
        let failure = #expect(throws: PasswordFile.Failure.self) { try Self.file(text) }
        let cure = "make one of bcrypt, yescrypt or sha512, such as with `htpasswd -B`"
        let slow =
            "takes too long to check: make one of bcrypt with a cost of 4 to 16, or of sha512 with up to 10000000 rounds"
        let user = "the user is empty, not UTF-8, or has control characters or spaces at its ends"
        #expect(
            failure?.mistakes.map(\.description) == [
                "line 2: the user is on line 1 already", "line 3: there is no `:` between user and hash",
                "line 4: \(user)", "line 5: \(user)",
                "line 6: the hash of `a` is SHA-1 without salt, which is found out in no time: \(cure)",
                "line 7: the hash of `b` is MD5 (`$apr1$`), which is found out fast: \(cure)",
                "line 8: the hash of `c` is MD5 (`$1$`), which is found out fast: \(cure)",
                "line 9: the hash of `d` is SHA-256 (`$5$`): \(cure)",
                "line 10: the hash of `e` is argon2, which crypt(3) does not know: \(cure)",
                "line 11: the hash of `f` is DES, of which only eight characters count: \(cure)",
                "line 12: the hash of `g` is of an unknown kind, or no hash: \(cure)",
                "line 13: the hash of `h` is damaged",
                "line 14: the hash of `i` is damaged", "line 15: the hash of `j` is damaged",
                "line 16: the hash of `k` is damaged",
                "line 17: the hash of `l` is of an unknown kind, or no hash: \(cure)",
                "line 18: the hash of `m` \(slow)", "line 19: the hash of `n` \(slow)",
                "line 20: the hash of `o` \(slow)",
                "line 21: the hash of `p` \(slow)",
            ])
    }

    @Test(arguments: ["", "\n\n", "# nothing\n"])
    func `a file without users is a mistake, as an editor leaves it that was stopped`(text: String) {
        let failure = #expect(throws: PasswordFile.Failure.self) { try Self.file(text) }
        #expect(failure?.mistakes.map(\.description) == ["it has no users"])
    }
}
