import Testing

@testable import Credentials

struct PasswordMemoryTests {
    private static func file(_ lines: String...) throws -> PasswordFile {
        try PasswordFile(parsing: Array(lines.joined(separator: "\n").utf8))
    }

    @Test func `a right password is known for a minute`() throws {
        let file = try Self.file("ann:\(Hashes.bcrypt)", "bob:\(Hashes.bcrypt)")
        let credential = try BasicCredential.sent("ann", "correct horse")
        var memory = PasswordMemory()
        #expect(!memory.knows(credential, of: file, now: .zero))
        memory.remember(credential, of: file, now: .seconds(5))
        #expect(memory.knows(credential, of: file, now: .seconds(5)))
        #expect(memory.knows(credential, of: file, now: .milliseconds(64_999)))
        #expect(!memory.knows(credential, of: file, now: .seconds(65)))
        #expect(!memory.knows(try .sent("ann", "correct hors"), of: file, now: .seconds(6)))
        #expect(!memory.knows(try .sent("bob", "correct horse"), of: file, now: .seconds(6)))
    }

    @Test func `a user that is removed, or has another password, is not known any more`() throws {
        let credential = try BasicCredential.sent("ann", "correct horse")
        var memory = PasswordMemory()
        memory.remember(credential, of: try Self.file("ann:\(Hashes.bcrypt)"), now: .zero)
        #expect(memory.knows(credential, of: try Self.file("ann:\(Hashes.bcrypt)", "b:\(Hashes.sha512)"), now: .zero))
        #expect(!memory.knows(credential, of: try Self.file("ann:\(Hashes.sha512)"), now: .zero))
        #expect(!memory.knows(credential, of: try Self.file("bob:\(Hashes.bcrypt)"), now: .zero))
    }

    @Test func `it is bounded, and what is over makes room first`() throws {
        let file = try Self.file("ann:\(Hashes.bcrypt)")
        func credential(_ number: Int) throws -> BasicCredential { try .sent("ann", "\(number)") }
        var memory = PasswordMemory(most: 3)
        for number in 0..<3 { memory.remember(try credential(number), of: file, now: .seconds(number * 30)) }
        memory.remember(try credential(3), of: file, now: .seconds(70))
        let known = try (0..<4).filter { memory.knows(try credential($0), of: file, now: .seconds(70)) }
        #expect(known == [1, 2, 3])
        memory.remember(try credential(4), of: file, now: .seconds(71))
        #expect(try (0..<5).filter { memory.knows(try credential($0), of: file, now: .seconds(71)) } == [4])
    }

    @Test func `two memories have two keys`() {
        #expect(HMAC.makeKey() != HMAC.makeKey())
        #expect(HMAC.makeKey().count == 32)
    }
}

struct WrongPasswordsTests {
    @Test func `after ten wrong ones within a minute an address waits`() {
        var wrong = WrongPasswords<Int>()
        for second in 0..<9 { wrong.add(1, now: .seconds(second)) }
        #expect(wrong.pause(for: 1, now: .seconds(9)) == .zero)
        wrong.add(1, now: .seconds(9))
        #expect(wrong.pause(for: 1, now: .seconds(9)) == .seconds(1))
        #expect(wrong.pause(for: 2, now: .seconds(9)) == .zero)
        #expect(wrong.pause(for: 1, now: .milliseconds(59_999)) == .seconds(1))
        // The first of them is a minute old.
        #expect(wrong.pause(for: 1, now: .seconds(60)) == .zero)
        wrong.add(1, now: .seconds(60))
        #expect(wrong.pause(for: 1, now: .seconds(60)) == .seconds(1))
    }

    @Test func `it keeps count of so many addresses, and forgets the quietest`() {
        var wrong = WrongPasswords<Int>(mostAddresses: 2)
        for _ in 0..<10 { wrong.add(1, now: .seconds(1)) }
        for _ in 0..<10 { wrong.add(2, now: .seconds(2)) }
        wrong.add(3, now: .seconds(3))
        #expect(wrong.pause(for: 1, now: .seconds(3)) == .zero)
        #expect(wrong.pause(for: 2, now: .seconds(3)) == .seconds(1))
        // What is older than a minute goes first.
        for _ in 0..<10 { wrong.add(4, now: .seconds(62.5)) }
        #expect(wrong.pause(for: 4, now: .seconds(63)) == .seconds(1))
        #expect(wrong.pause(for: 2, now: .seconds(61)) == .zero)
    }
}
