import Configuration
import Testing

@testable import DataPlane
@testable import Sessions

/// What a reload does to a session because of its subprotocol or its address.
@Suite struct SessionFateTests {
    /// Whether a session of `/echo` stays when the route gets these rules.
    private func stays(_ subprotocol: AgreedSubprotocol, allowed: [String]?, isRequired: Bool = false) throws -> Bool {
        var old = GatewayConfiguration()
        old.backends["echo"] = BackendSettings(name: "echo", kind: .builtin(.echo))
        old.routes = [RouteSettings(name: "/echo", path: .exact("/echo"), action: .backend("echo"))]
        var new = old
        new.routes[0].subprotocols = allowed
        new.routes[0].requireSubprotocol = isRequired
        let facts = ActiveConfiguration.SessionFacts(
            route: try ActiveConfiguration(old).routes[0], endpoint: nil, client: nil, origin: nil,
            subprotocol: subprotocol, hasEncodedSlash: false)
        if case .stays = try ActiveConfiguration(new).fate(of: facts) { return true }
        return false
    }

    /// Whether a session of this client stays when its route lets in these networks only.
    private func stays(_ client: String?, allowed: [String]) throws -> Bool {
        var old = GatewayConfiguration()
        old.backends["echo"] = BackendSettings(name: "echo", kind: .builtin(.echo))
        old.routes = [RouteSettings(name: "/echo", path: .exact("/echo"), action: .backend("echo"))]
        var new = old
        new.routes[0].allow = allowed.compactMap { IPNetwork($0) }
        let facts = ActiveConfiguration.SessionFacts(
            route: try ActiveConfiguration(old).routes[0], endpoint: nil, client: client.flatMap { IPAddress($0) },
            origin: nil, subprotocol: .none, hasEncodedSlash: false)
        if case .stays = try ActiveConfiguration(new).fate(of: facts) { return true }
        return false
    }

    @Test func `a session stays if its client is still let in`() throws {
        #expect(try self.stays("192.0.2.1", allowed: []))
        #expect(try self.stays("192.0.2.1", allowed: ["10.0.0.0/8", "192.0.2.0/24"]))
        #expect(try !self.stays("192.0.2.1", allowed: ["10.0.0.0/8"]))
        #expect(try self.stays(nil, allowed: []))
        #expect(try !self.stays(nil, allowed: ["0.0.0.0/0", "::/0"]))
    }

    @Test func `a hidden subprotocol counts as one, but is in no list`() throws {
        #expect(try !self.stays(.hidden, allowed: ["chat.v1"]))
        #expect(try !self.stays(.hidden, allowed: ["chat.v1"], isRequired: true))
        #expect(try self.stays(.hidden, allowed: nil, isRequired: true))
    }

    @Test func `a session without a subprotocol is drained if one is required`() throws {
        #expect(try self.stays(.none, allowed: ["chat.v1"]))
        #expect(try !self.stays(.none, allowed: ["chat.v1"], isRequired: true))
        #expect(try !self.stays(.none, allowed: nil, isRequired: true))
    }

    @Test func `a session stays if the list has its subprotocol`() throws {
        #expect(try self.stays(.named("chat.v1"), allowed: ["chat.v1"], isRequired: true))
        #expect(try !self.stays(.named("chat.v2"), allowed: ["chat.v1"]))
        #expect(try self.stays(.named("chat.v2"), allowed: nil, isRequired: true))
    }

    /// Whether a session of a token stays when the backend becomes this one.
    private func stays(_ tokens: BackendSettings.Tokens, _ message: BridgeMessage = .binary) throws -> Bool {
        let kind = BackendSettings.Kind.tokens(.init(path: "/tokens", place: .query("token")), message: .binary)
        var old = GatewayConfiguration()
        old.backends["vnc"] = BackendSettings(name: "vnc", kind: kind)
        old.routes = [RouteSettings(name: "/vnc", path: .exact("/vnc"), action: .backend("vnc"))]
        var new = old
        new.backends["vnc"]?.kind = .tokens(tokens, message: message)
        let endpoint = Endpoint(TCPEndpoint(address: .tcp(host: "127.0.0.1", port: 1)))
        let facts = ActiveConfiguration.SessionFacts(
            route: try ActiveConfiguration(old).routes[0], endpoint: endpoint, client: nil, origin: nil,
            subprotocol: .none, hasEncodedSlash: false)
        if case .stays = try ActiveConfiguration(new).fate(of: facts) { return true }
        return false
    }

    @Test func `a session of a token stays while its backend looks tokens up as before`() throws {
        #expect(try self.stays(.init(path: "/tokens", place: .query("token"))))
        #expect(try !self.stays(.init(path: "/others", place: .query("token"))))
        #expect(try !self.stays(.init(path: "/tokens", place: .path)))
        #expect(try !self.stays(.init(path: "/tokens", place: .query("token")), .text))
    }
}
