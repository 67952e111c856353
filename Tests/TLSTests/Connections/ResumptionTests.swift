import Testing

@testable import TLS

@Suite struct ResumptionTests {
    /// Connects, sends a byte both ways, and closes. Returns whether a ticket saved the full handshake.
    func connect(
        _ client: TLSClientContext, _ server: TLSServerContext, name: String = "localhost"
    ) throws -> Bool {
        var wire = try Wire(client, server, name: name)
        wire.connect()
        #expect(wire.client.handshake == .done)
        #expect(wire.server.handshake == .done)
        #expect(wire.client.send([1], to: wire.server) == nil)
        #expect(wire.server.send([2], to: wire.client) == nil)
        wire.run()
        #expect(wire.server.received == [1])
        #expect(wire.client.received == [2])
        #expect(wire.client.connection.wasResumed == wire.server.connection.wasResumed)
        return wire.server.connection.wasResumed
    }

    @Test(arguments: TLSVersion.allCases)
    func `every later connection is resumed`(_ version: TLSVersion) throws {
        let client = try Fixture.client(maximum: version)
        let server = try Fixture.server()
        #expect(try !self.connect(client, server))
        for _ in 0..<4 { #expect(try self.connect(client, server)) }
    }

    /// A ticket in a packet of its own would wake the client for nothing.
    @Test(arguments: [true, false])
    func `the ticket goes with the first bytes`(_ isSecondTime: Bool) throws {
        let client = try Fixture.client()
        let server = try Fixture.server()
        if isSecondTime { #expect(try !self.connect(client, server)) }
        var wire = try Wire(client, server)
        wire.connect()
        #expect(wire.server.connection.wasResumed == isSecondTime)
        #expect(wire.server.send([1], to: wire.client) == nil)
        // The record for one byte has 23 bytes, and a ticket a few hundred.
        #expect(wire.client.incoming.count > 200)
        wire.run()
        #expect(wire.client.received == [1])
        #expect(wire.server.send([2], to: wire.client) == nil)
        #expect(wire.client.incoming.count < 30)
        wire.run()
        #expect(wire.client.received == [1, 2])
        #expect(try self.connect(client, server))
    }

    @Test func `the ticket goes in front of an answer to new keys`() throws {
        let client = try Fixture.client()
        let server = try Fixture.server()
        var wire = try Wire(client, server)
        wire.connect()
        wire.client.connection.updateKeys()
        #expect(wire.client.send([1], to: wire.server) == nil)
        wire.run()
        #expect(wire.server.send([2], to: wire.client) == nil)
        wire.run()
        #expect(wire.server.received == [1])
        #expect(wire.client.received == [2])
        #expect(try self.connect(client, server))
    }

    @Test func `the ticket goes in front of close_notify`() throws {
        let client = try Fixture.client()
        let server = try Fixture.server()
        var wire = try Wire(client, server)
        wire.connect()
        wire.server.connection.closeNotify()
        wire.client.incoming += wire.server.takeOutput()
        wire.run()
        #expect(wire.client.state == .closed)
        #expect(try self.connect(client, server))
    }

    @Test(arguments: TLSVersion.allCases)
    func `the workers of a listener accept each other's tickets`(_ version: TLSVersion) throws {
        let client = try Fixture.client(maximum: version)
        let tickets = TicketKeys()
        #expect(try !self.connect(client, Fixture.server(tickets: tickets)))
        #expect(try self.connect(client, Fixture.server(tickets: tickets)))
    }

    @Test(arguments: TLSVersion.allCases, [0, 1, 2, 3, 4])
    func `tickets outlive two rotations`(_ version: TLSVersion, _ rotations: Int) throws {
        let client = try Fixture.client(maximum: version)
        let tickets = TicketKeys()
        let server = try Fixture.server(tickets: tickets)
        #expect(try !self.connect(client, server))
        for _ in 0..<rotations { tickets.rotate() }
        #expect(try self.connect(client, server) == (rotations <= 2))
        // The ticket was replaced by one with the newest key.
        for _ in 0..<2 { tickets.rotate() }
        #expect(try self.connect(client, server))
    }

    @Test(arguments: TLSVersion.allCases)
    func `a ticket of another listener is refused`(_ version: TLSVersion) throws {
        let tickets = TicketKeys()
        let demanding = Fixture.authority
        let own = Fixture.certify(.server, "own", names: ["localhost"], by: Fixture.authority)
        let others: [() throws -> TLSServerContext] = [
            { try Fixture.server(identity: "127.0.0.1:8444", tickets: tickets) },
            { try Fixture.server([own], tickets: tickets) },
            { try Fixture.server([Fixture.localhost, own], tickets: tickets) },
            { try Fixture.server(tickets: TicketKeys()) },
        ]
        for other in others {
            let client = try Fixture.client(maximum: version)
            #expect(try !self.connect(client, Fixture.server(tickets: tickets)))
            #expect(try !self.connect(client, other()))
        }
        // Without a certificate the client is refused, with or without a ticket.
        let client = try Fixture.client(maximum: version)
        #expect(try !self.connect(client, Fixture.server(tickets: tickets)))
        var wire = try Wire(client, Fixture.server(clients: demanding, tickets: tickets))
        wire.connect()
        #expect(
            wire.server.handshake == .failed(TLSError(.verification, "peer did not return a certificate")))
    }

    @Test(arguments: TLSVersion.allCases)
    func `a resumed client keeps its certificate`(_ version: TLSVersion) throws {
        let certificate = Fixture.certify(.client, "device 7", by: Fixture.authority)
        let client = try Fixture.client(certificate: certificate, maximum: version)
        let server = try Fixture.server(clients: Fixture.authority)
        #expect(try !self.connect(client, server))
        var wire = try Wire(client, server)
        wire.connect()
        #expect(wire.server.connection.wasResumed)
        #expect(wire.server.connection.peerName == "device 7")
    }

    /// If they were replaced again and again, the certificate would be checked only once.
    @Test(arguments: TLSVersion.allCases)
    func `tickets for client certificates are not replaced`(_ version: TLSVersion) throws {
        let certificate = Fixture.certify(.client, "device 7", by: Fixture.authority)
        let client = try Fixture.client(certificate: certificate, maximum: version)
        let tickets = TicketKeys()
        let server = try Fixture.server(clients: Fixture.authority, tickets: tickets)
        #expect(try !self.connect(client, server))
        for _ in 0..<2 { tickets.rotate() }
        #expect(try self.connect(client, server))
        tickets.rotate()
        #expect(try !self.connect(client, server))
    }

    @Test(arguments: TLSVersion.allCases)
    func `sessions belong to one server name`(_ version: TLSVersion) throws {
        let client = try Fixture.client(maximum: version)
        let server = try Fixture.server()
        #expect(try !self.connect(client, server))
        #expect(try !self.connect(client, server, name: "127.0.0.1"))
        #expect(try self.connect(client, server))
    }

    @Test func `the session context depends on every setting`() throws {
        let base = TLSServerSettings(identity: "a", certificates: [Fixture.localhost])
        var variants = [base, base, base, base, base]
        variants[1].identity = "b"
        variants[2].minimum = .v1_3
        variants[3].certificates.append(Fixture.authority)
        variants[4].clientAuthorities = TrustedAuthorities(certificates: Fixture.authority.chain)
        #expect(Set(variants.map(\.sessionContext)).count == variants.count)
        #expect(base.sessionContext == variants[0].sessionContext)
        #expect(base.sessionContext.count == 32)
    }

    @Test func `a ticket with another key's name is not opened`() {
        let keys = TicketKeys()
        let first = keys.newest
        #expect(keys.find(first.name.span)?.isNewest == true)
        keys.rotate()
        #expect(keys.find(first.name.span)?.isNewest == false)
        let unknown = [UInt8](repeating: 0, count: 16)
        #expect(keys.find(unknown.span) == nil)
        let short = Array(first.name.dropLast())
        #expect(keys.find(short.span) == nil)
    }
}
