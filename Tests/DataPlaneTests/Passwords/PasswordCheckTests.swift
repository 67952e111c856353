import Configuration
import HTTP1
import System
import Testing

@testable import Credentials
@testable import DataPlane

/// Passwords at the admin address.
@Suite struct PasswordCheckTests {
    /// Of `pw`, with the least that bcrypt can cost.
    private static let file = try! PasswordFile(
        parsing: Array("alice:$2b$04$abcdefghijklmnopqrstuuyvPXIbu7xe6/CED2DzX8z6Si09MlzlW\n".utf8))

    private static func credential(_ password: String) -> BasicCredential {
        let text = Base64.encoded("alice:\(password)".utf8.span)
        guard case .credential(let credential) = BasicCredential.find(in: ["Authorization": "Basic \(text)"]) else {
            preconditionFailure("no credential")
        }
        return credential
    }

    private let loop: EventLoop
    private let pool: PasswordPool
    private let passwords: WorkerPasswords
    private let address = IPAddress("192.0.2.1")!.subscriber

    init() throws {
        self.loop = try EventLoop()
        self.pool = try PasswordPool()
        self.passwords = try WorkerPasswords(self.pool, on: self.loop)
    }

    /// The outcome, and whether it was known at once.
    private func check(_ password: String) throws -> (outcome: PasswordCheck.Outcome, isAtOnce: Bool) {
        var outcome: PasswordCheck.Outcome?
        let check = self.passwords.check(
            Self.credential(password), of: Self.file, from: self.address, on: self.loop
        ) { outcome = $0 }
        let isAtOnce = check == nil
        #expect(isAtOnce == (outcome != nil))
        let end = MonotonicInstant.now() + .seconds(20)
        while outcome == nil, .now() < end { self.loop.turn(waitingAtMost: .seconds(1)) }
        return (try #require(outcome), isAtOnce)
    }

    @Test func `a right password is known at once the next time`() throws {
        #expect(try self.check("pw") == (.right, false))
        #expect(try self.check("pw") == (.right, true))
        #expect(try self.check("no") == (.wrong, false))
    }

    @Test func `an address that guesses waits, and a fifth request of it is not verified`() throws {
        for _ in 0..<WrongPasswords<IPNetwork>.most { #expect(try self.check("no").outcome == .wrong) }
        var outcomes: [PasswordCheck.Outcome] = []
        let checks = (0..<PasswordPool.mostOfAddress).map { _ in
            self.passwords.check(Self.credential("pw"), of: Self.file, from: self.address, on: self.loop) {
                outcomes.append($0)
            }
        }
        #expect(outcomes == [])
        #expect(try self.check("pw") == (.crowded, true))
        // Those that are not waited for give their places back.
        for check in checks { check?.cancel() }
        let begin = MonotonicInstant.now()
        #expect(try self.check("pw") == (.right, false))
        #expect(.now() - begin >= WrongPasswords<IPNetwork>.pause)
        #expect(outcomes == [])
    }

    @Test func `a cancelled check says nothing, and its place is free`() throws {
        let check = self.passwords.check(Self.credential("pw"), of: Self.file, from: self.address, on: self.loop) {
            Issue.record("\($0)")
        }
        check?.cancel()
        for _ in 0..<PasswordPool.mostOfAddress { #expect(try self.check("no").outcome == .wrong) }
    }
}
