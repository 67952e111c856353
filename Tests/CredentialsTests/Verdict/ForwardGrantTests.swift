import HTTP1
import Testing

@testable import Configuration
@testable import Credentials

/// What the answer of an auth service gives.
@Suite struct ForwardGrantTests {
    private static func grant(_ fields: HTTPFields, _ send: String...) throws -> Grant? {
        var settings = ForwardSettings(url: try WebURL(parsing: "http://a"))
        settings.send = send
        return Grant(fields, settings)
    }

    @Test func `only the fields of send go to backends, by their configured names`() throws {
        let answer: HTTPFields = [
            "Remote_User": "no", "REMOTE-USER": "ann", "X-Other": "no", "Remote-Groups": "a", "remote-groups": "b",
        ]
        let expected = Grant(
            subject: "ann", fields: ["Remote-User": "ann", "Remote-Groups": "a", "Remote-Groups": "b"])
        #expect(try Self.grant(answer, "Remote-User", "Remote-Groups", "Remote-Name") == expected)
        #expect(try Self.grant(answer) == Grant())
    }

    @Test func `the subject is the first one, if there is one`() throws {
        let answer: HTTPFields = ["A": "1", "B": "2", "Empty": ""]
        #expect(try Self.grant(answer, "B", "A")?.subject == "2")
        #expect(try Self.grant(answer, "C", "A") == Grant(subject: nil, fields: ["A": "1"]))
        #expect(try Self.grant(answer, "Empty") == Grant(subject: nil, fields: ["Empty": ""]))
    }

    @Test func `a subject that is said twice is none`() throws {
        #expect(try Self.grant(["A": "1", "a": "1"], "A") == nil)
        #expect(try Self.grant(["A": "1", "B": "1", "B": "2"], "A", "B")?.subject == "1")
    }

    @Test func `names are UTF-8, and pass byte by byte`() throws {
        var answer = HTTPFields()
        answer.append("A", utf8: "jörg")
        let grant = try #require(try Self.grant(answer, "A"))
        #expect(grant.subject == "jörg")
        #expect(grant.fields == answer)
        // What is no UTF-8 is read as it came.
        #expect(try Self.grant(["A": "j\u{F6}rg"], "A")?.subject == "j\u{F6}rg")
    }
}
