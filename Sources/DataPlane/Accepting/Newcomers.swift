internal import Configuration
internal import System

/// The connections that have not sent a whole request head yet. If there are too many, the oldest one of the address with the most goes.
/// It follows that a flood of silent connections only displaces its own, and a client that is merely far away keeps its place.
///
/// Among addresses with equally many, the one that has had that number longest comes first. Every operation takes constant time. The clock
/// is passed in.
struct Newcomers<Member> {
    /// Identifies a connection until it is removed.
    struct Place: Equatable, Sendable {
        fileprivate let index: Int32

        /// The place of a connection that is not here.
        static var none: Place { Place(index: -1) }
    }

    /// A younger connection never has to go: a handshake across half the world takes less than this.
    static var youngestVictim: Duration { .seconds(1) }

    private struct Connection {
        var member: Member?
        var since: MonotonicInstant
        var address: Int32
    }

    private struct Address {
        /// `nil` for a connection that counts as an address of its own.
        var network: IPNetwork?
        var count = 0
        /// Its connections, the oldest first.
        var connections = Chain()
    }

    private var connections: [Connection] = []
    private var freeConnections: [Int32] = []
    private var connectionLinks = Links()
    private var addresses: [Address] = []
    private var freeAddresses: [Int32] = []
    private var addressLinks = Links()
    private var known: [IPNetwork: Int32] = [:]
    /// At index n, the addresses that have n connections.
    private var byCount: [Chain] = []
    /// The largest number of connections of one address.
    private var most = 0
    private(set) var count = 0

    init() {}

    /// - Parameter network: the address as it is counted (`IPAddress.subscriber`); `nil` if this connection is an address of its own.
    mutating func add(_ member: Member, from network: IPNetwork?, at now: MonotonicInstant) -> Place {
        let address = self.address(of: network)
        let connection = Connection(member: member, since: now, address: address)
        let index: Int32
        if let free = self.freeConnections.popLast() {
            index = free
            self.connections[Int(index)] = connection
        } else {
            index = Int32(self.connections.count)
            self.connections.append(connection)
        }
        self.connectionLinks.append(index, to: &self.addresses[Int(address)].connections)
        self.move(address, by: 1)
        self.count += 1
        return Place(index: index)
    }

    mutating func remove(_ place: Place) {
        let index = place.index
        guard index >= 0, self.connections[Int(index)].member != nil else { return }
        let address = self.connections[Int(index)].address
        self.connections[Int(index)].member = nil
        self.freeConnections.append(index)
        self.connectionLinks.remove(index, from: &self.addresses[Int(address)].connections)
        self.move(address, by: -1)
        self.count -= 1
    }

    /// The connection that has to go for a new one; `nil` if none is old enough.
    func victim(at now: MonotonicInstant) -> Member? {
        guard self.most > 0, let address = self.byCount[self.most].first,
            let oldest = self.addresses[Int(address)].connections.first
        else { return nil }
        let connection = self.connections[Int(oldest)]
        return connection.since + Self.youngestVictim < now ? connection.member : nil
    }

    private mutating func address(of network: IPNetwork?) -> Int32 {
        if let network, let known = self.known[network] { return known }
        let index: Int32
        if let free = self.freeAddresses.popLast() {
            index = free
            self.addresses[Int(index)] = Address(network: network)
        } else {
            index = Int32(self.addresses.count)
            self.addresses.append(Address(network: network))
        }
        if let network { self.known[network] = index }
        return index
    }

    /// The address has one connection more or less. An address without any is forgotten.
    private mutating func move(_ address: Int32, by step: Int) {
        let old = self.addresses[Int(address)].count
        let new = old + step
        self.addresses[Int(address)].count = new
        if old > 0 { self.addressLinks.remove(address, from: &self.byCount[old]) }
        if new > 0 {
            while self.byCount.count <= new { self.byCount.append(Chain()) }
            self.addressLinks.append(address, to: &self.byCount[new])
        } else {
            if let network = self.addresses[Int(address)].network { self.known[network] = nil }
            self.freeAddresses.append(address)
        }
        if new > self.most || (old == self.most && self.byCount[old].first == nil) { self.most = new }
    }
}

/// The two ends of a list of numbers.
private struct Chain {
    var first: Int32?
    var last: Int32?
}

/// The previous and the next element of each element, for any number of lists. An element is in one list at a time.
private struct Links {
    private struct Link {
        var previous: Int32?
        var next: Int32?
    }

    private var links: [Link] = []

    mutating func append(_ element: Int32, to chain: inout Chain) {
        while self.links.count <= element { self.links.append(Link()) }
        self.links[Int(element)] = Link(previous: chain.last, next: nil)
        if let last = chain.last { self.links[Int(last)].next = element } else { chain.first = element }
        chain.last = element
    }

    mutating func remove(_ element: Int32, from chain: inout Chain) {
        let link = self.links[Int(element)]
        if let previous = link.previous { self.links[Int(previous)].next = link.next } else { chain.first = link.next }
        if let next = link.next { self.links[Int(next)].previous = link.previous } else { chain.last = link.previous }
    }
}
