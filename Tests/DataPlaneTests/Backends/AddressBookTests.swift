import System
import Testing

@testable import DataPlane

@Suite struct AddressBookTests {
    private static let start = MonotonicInstant(nanoseconds: 0)

    private static func address(_ number: UInt32) -> SocketAddress { .ipv4(0x7F00_0000 + number, port: 80) }

    /// A random source that always picks the same address, and not the first.
    private struct Last: RandomNumberGenerator {
        mutating func next() -> UInt64 { .max }
    }

    private func book(_ numbers: ClosedRange<UInt32>) -> AddressBook {
        var book = AddressBook()
        #expect(book.update(.success(numbers.map { Self.address($0) })) == true)
        return book
    }

    private func order(_ book: inout AddressBook, after time: Duration) -> [SocketAddress]? {
        var random = Last()
        return try? book.inOrder(at: Self.start + time, using: &random).get()
    }

    @Test func `each address can be the first`() {
        var book = self.book(1...4)
        var random = SystemRandomness()
        var first: Set<SocketAddress> = []
        for _ in 0..<1000 {
            guard let order = try? book.inOrder(at: Self.start, using: &random).get() else { return }
            #expect(Set(order).count == 4)
            if let one = order.first { first.insert(one) }
        }
        #expect(first.count == 4)
        #expect(self.order(&book, after: .zero) == [4, 1, 2, 3].map { Self.address($0) })
    }

    @Test func `an address that failed is tried last for a minute`() {
        var book = self.book(1...4)
        book.failed(Self.address(3), at: Self.start)
        book.failed(Self.address(1), at: Self.start + .seconds(1))
        #expect(self.order(&book, after: .seconds(2)) == [4, 2, 3, 1].map { Self.address($0) })
        #expect(self.order(&book, after: .milliseconds(59_999)) == [4, 2, 3, 1].map { Self.address($0) })
        #expect(self.order(&book, after: .seconds(60)) == [4, 2, 3, 1].map { Self.address($0) })
        #expect(self.order(&book, after: .seconds(61)) == [4, 1, 2, 3].map { Self.address($0) })
    }

    @Test func `addresses that failed are tried all the same`() {
        var book = self.book(1...2)
        book.failed(Self.address(2), at: Self.start)
        book.failed(Self.address(1), at: Self.start + .seconds(1))
        #expect(self.order(&book, after: .seconds(2)) == [2, 1].map { Self.address($0) })
        // It has failed again.
        book.failed(Self.address(2), at: Self.start + .seconds(2))
        #expect(self.order(&book, after: .seconds(3)) == [1, 2].map { Self.address($0) })
    }

    @Test func `a connection or another answer forgets the failure`() {
        var book = self.book(1...3)
        book.failed(Self.address(3), at: Self.start)
        #expect(self.order(&book, after: .zero)?.last == Self.address(3))
        book.connected(Self.address(3))
        #expect(self.order(&book, after: .zero)?.first == Self.address(3))
        book.failed(Self.address(3), at: Self.start)
        #expect(book.update(.success([Self.address(1), Self.address(2)])) == true)
        #expect(book.update(.success([Self.address(2), Self.address(3)])) == true)
        #expect(self.order(&book, after: .zero) == [3, 2].map { Self.address($0) })
        // It does not remember failures of unknown addresses.
        book.failed(Self.address(9), at: Self.start)
        #expect(self.order(&book, after: .zero) == [3, 2].map { Self.address($0) })
    }

    @Test func `another order of the same addresses changes nothing`() {
        var book = self.book(1...2)
        #expect(book.update(.success([Self.address(2), Self.address(1)])) == false)
        #expect(self.order(&book, after: .zero) == [1, 2].map { Self.address($0) })
    }
}
