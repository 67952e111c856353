internal import Configuration
internal import DataPlane
internal import Observability
internal import System
internal import TLS

/// What the workers counted and the state of the endpoints, as the control thread gathered them. Rows and metrics are made of it on any
/// thread, because with thousands of routes and backends that would hold up the control thread.
struct GatewayCounts: Sendable {
    private let active: ActiveConfiguration
    private let snapshots: [MetricsSnapshot]
    /// Bytes of messages in workers' mailboxes.
    private let inMailboxes: Int
    private let backends: [BackendReport]
    /// The certificates that listeners and the admin address show, by the name of the place.
    private let shown: [(place: String, settings: TLSServerSettings)]
    /// How many descriptors the process may have.
    private let descriptorLimit: Int
    /// In bytes.
    private let memoryLimit: Int
    private let cluster: ClusterStatus?

    /// - Parameter snapshots: one of each worker.
    init(
        _ serving: Serving, _ fleet: Fleet, _ snapshots: [MetricsSnapshot], backends: [BackendReport]
    ) {
        self.active = serving.configuration
        self.snapshots = snapshots
        self.inMailboxes = fleet.memory.inMailboxes
        self.backends = backends
        self.shown = serving.shown
        self.descriptorLimit = fleet.descriptorLimit
        self.memoryLimit = fleet.memory.limit
        self.cluster = fleet.cluster.status
    }

    var rows: [BackendRow] { self.rows(self.counted) }

    func families(control: MetricsSnapshot.Control, droppedLines: UInt64, version: String) -> [MetricFamily] {
        let counted = self.counted
        return counted.families(
            control: control,
            others: self.rows(counted).families + self.backends.families + [self.certificates] + self.ofRooms
                + [self.ofCluster] + self.ofLimits,
            droppedLines: droppedLines, version: version, usage: .now())
    }

    private var certificates: MetricFamily {
        let samples = self.shown.flatMap { place, settings in
            settings.expiries.sorted { $0.key < $1.key }.map { name, notAfter in
                MetricFamily.Sample([.init("listener", place), .init("name", name)], .number(Double(notAfter)))
            }
        }
        return MetricFamily(
            "gateway_certificate_not_after_timestamp_seconds", .gauge,
            help:
                "When the first of the certificates that a listener, or the admin address (admin), shows for a name expires, in seconds since 1970.",
            samples: samples)
    }

    private var ofRooms: [MetricFamily] {
        let counts = self.active.backends.compactMap { backend in backend.rooms.map { (backend.name, $0.counts) } }
        func samples(_ value: ((rooms: Int, messages: UInt64, deliveries: UInt64)) -> Double) -> [MetricFamily.Sample] {
            counts.map { .init([.init("backend", $0)], .number(value($1))) }
        }
        return [
            MetricFamily(
                "gateway_rooms", .gauge, help: "Rooms that have members.", samples: samples { Double($0.rooms) }),
            MetricFamily(
                "gateway_room_messages_total", .counter, help: "Messages to rooms, of members and published ones.",
                samples: samples { Double($0.messages) }),
            MetricFamily(
                "gateway_room_deliveries_total", .counter, help: "How many times a member was given such a message.",
                samples: samples { Double($0.deliveries) }),
        ]
    }

    private var ofCluster: MetricFamily {
        MetricFamily(
            "gateway_cluster_up", .gauge, help: "Whether there is a link to the server of `cluster`.",
            samples: self.cluster.map { [.init([.init("server", $0.server)], .number($0.isUp ? 1 : 0))] } ?? [])
    }

    private var ofLimits: [MetricFamily] {
        [
            MetricFamily(
                "gateway_workers", .gauge, help: "Threads that relay sessions.",
                samples: [.init([], .number(Double(self.snapshots.count)))]),
            MetricFamily(
                "gateway_memory_limit_bytes", .gauge, help: "The bound on `gateway_memory_bytes`: `memory`.",
                samples: [.init([], .number(Double(self.memoryLimit)))]),
            MetricFamily(
                "gateway_open_files_limit", .gauge,
                help: "How many file descriptors the gateway may have. A relayed session has two.",
                samples: [.init([], .number(Double(self.descriptorLimit)))]),
        ]
    }

    private var counted: MetricsSnapshot {
        let routes = self.active.routes.compactMap { route in
            route.backend.map { (name: route.settings.name, backend: $0.name) }
        }
        var all = MetricsSnapshot(routes)
        for snapshot in self.snapshots { all.add(snapshot) }
        all.memory[.mailbox] = self.inMailboxes
        return all
    }

    private func rows(_ counted: MetricsSnapshot) -> [BackendRow] {
        let open = counted.openByBackend
        return self.backends.map { $0.row(sessions: open[$0.backend.name] ?? 0) }
    }
}
