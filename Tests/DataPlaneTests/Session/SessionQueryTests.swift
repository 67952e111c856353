import Configuration
import Sessions
import System
import Testing

@testable import DataPlane

@Suite struct SessionQueryTests {
    private static func id(_ number: Int) -> SessionID {
        let digits = String(number, radix: 16)
        return SessionID(String(repeating: "0", count: 16 - digits.count) + digits)!
    }

    private static func traits(_ number: Int, queued: Int = 0, messages: UInt64 = 0) -> SessionTraits {
        var traits = SessionTraits(
            id: Self.id(number), route: nil, endpoint: nil, client: IPAddress("10.0.0.\(number % 256)"),
            credential: nil, began: MonotonicInstant(nanoseconds: Int64(number)))
        traits.queued = queued
        traits.messages = messages
        return traits
    }

    /// The pages of sessions that two workers have.
    private func pages(_ query: SessionQuery, _ workers: [[SessionTraits]]) -> SessionPage {
        let pages = workers.enumerated().map { worker, sessions in
            var page = SessionPage()
            var first = FirstOnes<SessionQuery.Position>(query.limit, by: <)
            for session in sessions where query.filter.matches(session) {
                page.total += 1
                let position = query.position(of: session, worker: worker)
                if let after = query.after, position <= after { continue }
                first.add(position)
            }
            page.rows = first.take().map { position in
                let row = SessionRow(
                    id: position.id.description, route: "-", client: "-", phase: "-", age: .zero, idle: .zero)
                return (position: position, row: row)
            }
            page.hasMore = first.hasMore
            return page
        }
        return SessionPage(pages, limit: query.limit)
    }

    /// The ids of all pages, one after another.
    private func walk(_ query: SessionQuery, _ workers: [[SessionTraits]]) throws -> [String] {
        var query = query
        var ids: [String] = []
        while true {
            let page = self.pages(query, workers)
            #expect(page.total == workers.joined().count { query.filter.matches($0) })
            ids += page.rows.map(\.row.id)
            guard page.hasMore, let last = page.rows.last else { return ids }
            // As a client names it.
            let text = SessionQuery.text(last.position, in: query.order)
            let position: SessionQuery.Position = try #require(SessionQuery.position(text, in: query.order))
            query.after = position
        }
    }

    @Test(arguments: [1, 2, 3, 7, 50, 1000], SessionQuery.Order.allCases)
    func `the pages together are the whole table, each session once`(
        _ limit: Int, _ order: SessionQuery.Order
    ) throws {
        var numbers = Array(1...50)
        numbers.shuffle()
        let sessions = numbers.map { Self.traits($0, queued: $0 % 5, messages: UInt64($0)) }
        let workers = [Array(sessions[..<20]), Array(sessions[20...])]
        var query = SessionQuery()
        query.order = order
        query.limit = limit
        query.earlier = .init(messages: [[:], [:]], ago: .seconds(1))
        let expected: [Int] =
            switch order {
            case .id, .age, .roundTripTime: Array(1...50)
            case .rate: Array(1...50).reversed()
            case .queue: (1...50).sorted { ($1 % 5, $0) < ($0 % 5, $1) }
            }
        #expect(try self.walk(query, workers) == expected.map { Self.id($0).description })
    }

    @Test func `a page begins behind a session that has ended`() {
        var query = SessionQuery()
        query.after = SessionQuery.position(Self.id(7).description, in: .id)
        let page = self.pages(query, [[Self.traits(5), Self.traits(9)], [Self.traits(6), Self.traits(8)]])
        #expect(page.rows.map(\.row.id) == [8, 9].map { Self.id($0).description })
        #expect(page.total == 4)
        #expect(!page.hasMore)
    }

    @Test func `a rate is of the messages since the earlier count`() throws {
        var query = SessionQuery()
        query.order = .rate
        #expect(query.rate(of: Self.traits(1, messages: 9), worker: 0) == nil)
        query.earlier = .init(messages: [[:], [Self.id(1): 4, Self.id(2): 9]], ago: .milliseconds(500))
        #expect(query.rate(of: Self.traits(1, messages: 9), worker: 1) == 10)
        // It began after the count.
        #expect(query.rate(of: Self.traits(3, messages: 1), worker: 1) == 2)
        // It moved no message since.
        #expect(query.rate(of: Self.traits(2, messages: 9), worker: 1) == 0)
    }

    @Test func `each filter has to hold`() {
        let session = Self.traits(3)
        #expect(SessionFilter().matches(session))
        #expect(SessionFilter(id: Self.id(3)).matches(session))
        #expect(!SessionFilter(id: Self.id(4)).matches(session))
        #expect(SessionFilter(client: IPNetwork("10.0.0.0/8")).matches(session))
        #expect(!SessionFilter(client: IPNetwork("10.0.0.4")).matches(session))
        #expect(SessionFilter(route: "-", client: IPNetwork("10.0.0.3")).matches(session))
        #expect(!SessionFilter(route: "/", client: IPNetwork("10.0.0.3")).matches(session))
        #expect(!SessionFilter(backend: "b").matches(session))
        #expect(!SessionFilter(endpoint: "ws://b").matches(session))
        #expect(!SessionFilter(subject: "alice").matches(session))
    }

    @Test(arguments: ["", "5", "x:00000000000000a1", "5:", "5:a1", ":00000000000000a1"])
    func `a place that no page has named is none`(_ text: String) {
        #expect(SessionQuery.position(text, in: .queue) == nil)
        #expect(SessionQuery.position(text, in: .id) == nil)
    }
}
