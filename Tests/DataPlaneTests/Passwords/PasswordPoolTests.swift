import Configuration
import HTTP1
import System
import Testing

@testable import Credentials
@testable import DataPlane

/// Which requests with a password may be hashed.
@Suite struct PasswordPoolTests {
    /// `pw`, with the least that bcrypt can cost.
    private static let file = try! PasswordFile(
        parsing: Array("alice:$2b$04$abcdefghijklmnopqrstuuyvPXIbu7xe6/CED2DzX8z6Si09MlzlW\n".utf8))

    private static func credential(_ password: String, user: String = "alice") -> BasicCredential {
        let text = Base64.encoded(Array("\(user):\(password)".utf8).span)
        guard case .credential(let credential) = BasicCredential.find(in: ["Authorization": "Basic \(text)"]) else {
            preconditionFailure("no credential")
        }
        return credential
    }

    private static let right = credential("pw")
    private static let wrong = credential("no")

    private func address(_ number: Int) -> IPNetwork { IPAddress("192.0.2.\(number)")!.subscriber }

    private func enter(_ pool: PasswordPool, _ credential: BasicCredential, _ number: Int) -> PasswordPool.Entry {
        pool.enter(credential, of: Self.file, from: self.address(number), now: .now())
    }

    private func hash(_ pool: PasswordPool, _ credential: BasicCredential, _ number: Int) -> Bool {
        #expect(pool.takePlace())
        return pool.hash(PasswordRequest(credential, of: Self.file, from: self.address(number)))
    }

    @Test func `a right password is remembered, for every address`() throws {
        let pool = try PasswordPool()
        #expect(self.enter(pool, Self.right, 1) == .waits(.zero))
        #expect(self.hash(pool, Self.right, 1))
        #expect(self.enter(pool, Self.right, 1) == .isKnown)
        #expect(self.enter(pool, Self.right, 2) == .isKnown)
        #expect(self.enter(pool, Self.wrong, 1) == .waits(.zero))
    }

    @Test func `an address may have four requests that wait`() throws {
        let pool = try PasswordPool()
        for _ in 0..<PasswordPool.mostOfAddress { #expect(self.enter(pool, Self.wrong, 1) == .waits(.zero)) }
        #expect(self.enter(pool, Self.wrong, 1) == .isCrowded)
        #expect(self.enter(pool, Self.wrong, 2) == .waits(.zero))
        #expect(!self.hash(pool, Self.wrong, 1))
        #expect(self.enter(pool, Self.wrong, 1) == .waits(.zero))
        pool.leave(self.address(1))
        #expect(self.enter(pool, Self.wrong, 1) == .waits(.zero))
        #expect(self.enter(pool, Self.wrong, 1) == .isCrowded)
    }

    @Test func `all together may have as many hashes as there are places`() throws {
        let pool = try PasswordPool()
        for _ in 0..<PasswordPool.most { #expect(pool.takePlace()) }
        #expect(!pool.takePlace())
        #expect(self.enter(pool, Self.wrong, 1) == .isCrowded)
        #expect(pool.enter(Self.wrong, of: Self.file, from: nil, now: .now()) == .isCrowded)
        pool.givePlaceBack()
        #expect(self.enter(pool, Self.wrong, 1) == .waits(.zero))
        #expect(pool.takePlace())
    }

    @Test func `an address that guesses waits, and one that is remembered does not`() throws {
        let pool = try PasswordPool()
        #expect(self.hash(pool, Self.right, 1))
        for _ in 0..<WrongPasswords<IPNetwork>.most {
            #expect(self.enter(pool, Self.wrong, 1) == .waits(.zero))
            #expect(!self.hash(pool, Self.wrong, 1))
        }
        #expect(self.enter(pool, Self.wrong, 1) == .waits(.seconds(1)))
        #expect(self.enter(pool, Self.right, 1) == .isKnown)
        #expect(self.enter(pool, Self.wrong, 2) == .waits(.zero))
    }

    @Test func `a password that its client does not wait for is not hashed, and counts as no guess`() throws {
        let pool = try PasswordPool()
        let request = PasswordRequest(Self.right, of: Self.file, from: self.address(1))
        #expect(self.enter(pool, Self.right, 1) == .waits(.zero))
        #expect(pool.takePlace())
        request.cancel()
        #expect(!pool.hash(request))
        #expect(self.enter(pool, Self.right, 1) == .waits(.zero))
    }
}
