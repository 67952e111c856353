internal import Configuration
public import DataPlane
internal import System

/// The rooms, for operators.
extension Gateway {
    /// The rooms of a backend; `nil`: it has none, or there is no backend of this name.
    public func rooms(of backend: String) -> RoomDesk? {
        self.serving.configuration.backend(named: backend).flatMap {
            RoomDesk($0, self.fleet, showsPayloads: self.showsPayloads)
        }
    }

    private var showsPayloads: Bool { self.serving.startedWith.admin?.payloads ?? false }

    /// A page of the rooms. `answer` gets a function that puts it together, on any thread.
    public func rooms(_ query: RoomQuery, answer: @escaping (@escaping @Sendable () -> RoomPage) -> Void) {
        let backends = self.serving.configuration.backends.filter { query.backend == nil || $0.name == query.backend }
        let desks = backends.compactMap { RoomDesk($0, self.fleet, showsPayloads: false) }
        let began = MonotonicInstant.now()
        self.aside {
            desks.map { desk in Dictionary(uniqueKeysWithValues: desk.facts.map { ($0.name, $0.messages) }) }
        } then: { [unowned self] earlier in
            _ = ControlTimer(self.loop, once: Self.ratePeriod) {
                answer {
                    RoomPage(desks, query, earlier: earlier, seconds: (MonotonicInstant.now() - began).secondsAsDouble)
                }
            }
        }
    }
}
