internal import ArgumentParser
internal import ControlPlane
internal import FoundationEssentials

/// `gateway endpoint`.
struct EndpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoint",
        abstract: "Take an endpoint from new clients, or give it back. Its sessions stay open.",
        discussion: """
            drain lets only clients come that have a cookie with its name (`balance: cookie`), down lets none come, and up takes both \
            back: then its health decides. An order holds until the next one, or until the gateway starts anew. To close the \
            sessions, too, use `gateway drain BACKEND URL`. Exits with 0 if it is done, and with 1 if there is no such endpoint or no \
            gateway answers.

            EXAMPLES
              gateway endpoint chat ws://10.0.0.1:3000 drain
              gateway endpoint chat ws://10.0.0.1:3000 down
              gateway endpoint chat ws://10.0.0.1:3000 up
            """)

    @Argument(help: "The name of the backend.")
    var backend: String

    @Argument(help: ArgumentHelp("The endpoint, as it is written in the configuration.", valueName: "url"))
    var endpoint: String

    @Argument(help: "up, drain or down.")
    var state: String

    @OptionGroup var gateway: AdminOptions

    func validate() throws { _ = try self.wanted() }

    private func wanted() throws -> EndpointOrder.State {
        guard let state = EndpointOrder.State(rawValue: self.state) else {
            throw ValidationError("The state is up, drain or down, not \(self.state).")
        }
        return state
    }

    private struct Order: Encodable {
        var backend: String
        var endpoint: String
        var state: String
    }

    func run() throws {
        let order = Order(backend: self.backend, endpoint: self.endpoint, state: self.state)
        _ = try self.gateway.ask("POST", "/api/endpoints", order)
        let what =
            switch try self.wanted() {
            case .up: "its health decides again which clients come"
            case .drain: "only clients with its cookie still come, and its sessions stay open"
            case .down: "no client comes, and its sessions stay open"
            }
        print("\(self.backend) \(self.endpoint) is ordered \(self.state): \(what)")
    }
}
