// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target of ours is compiled with: Swift 6 mode, strict memory safety, no warnings.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // Spans of our own buffers: a property that lends memory has to say what it borrows from.
    .enableExperimentalFeature("Lifetimes"),
    // Worth a third of what a relayed message costs in user space. Exclusive access is proven at compile time for values, and
    // checked while running in debug builds, which the tests are; objects of the data plane are confined to one thread.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    // Small things of one module (a readiness, a frame's header) are inlined into another.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

/// A target of the gateway: see `ops/PRINCIPLES.md` for what may import what.
func target(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name), "TestSupport"] + dependencies, exclude: exclude,
        swiftSettings: settings)
}

/// A fuzz target, `Tests/Fuzz/<Name>`.
func fuzz(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: "Fuzz\(name)", dependencies: dependencies + ["Fuzzing"], path: "Tests/Fuzz/\(name)",
        swiftSettings: settings)
}

/// The parts of the dashboard.
let dashboard =
    ["dashboard.html", "dashboard.css"]
    + [
        "format", "elements", "gateway", "history", "overview", "closes", "backends", "slow", "sessions", "session",
        "tail", "why", "operate", "main",
    ].map { "\($0).js" }

let package = Package(
    name: "gateway",
    products: [
        .executable(name: "gateway", targets: ["gateway"]),
        .executable(name: "gateway-load", targets: ["Load"]),
        .executable(name: "gateway-micro", targets: ["Micro"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    ],
    targets: [
        // The system, in C.
        .target(name: "CLinux"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // Pure: no I/O, no clock, no thread.
        target("HTTP1"),
        target("WebSocketProtocol", ["HTTP1", "COpenSSL", "CZlib"]),
        target("Balancing"),
        target("Configuration", ["HTTP1", "CYAML"]),
        target("ProxyProtocol", ["Configuration"]),

        // The operating system and libssl, one target each.
        target("System", ["CLinux", .product(name: "DequeModule", package: "swift-collections")]),
        target("TLS", ["COpenSSL"]),

        // What tokens, passwords and certificates are worth, decided without I/O.
        target("Credentials", ["HTTP1", "Configuration", "COpenSSL", "CCrypt"]),

        // What a request leads to, decided without I/O.
        target("Admission", ["WebSocketProtocol", "HTTP1", "Configuration", "Credentials"]),

        // What a session does, decided without I/O.
        target("Sessions", ["WebSocketProtocol", "HTTP1", "Balancing", "Configuration", "System"]),

        // One connection: a socket, TLS where there is TLS, and its queues. Bytes only.
        target(
            "Connections",
            ["System", "TLS", .product(name: "DequeModule", package: "swift-collections")]),

        // A Redis server: its protocol, the link to it, and rooms there.
        target(
            "Redis",
            [
                "HTTP1", "Configuration", "System", "TLS", "Connections",
                .product(name: "DequeModule", package: "swift-collections"),
            ]),

        // The log and the metrics.
        target(
            "Observability",
            [
                "WebSocketProtocol", "Configuration", "System", "Sessions",
                .product(name: "DequeModule", package: "swift-collections"),
            ]),

        // How one process takes over from another, and what the service manager hears.
        target("Takeover", ["Balancing", "Configuration", "System", "Observability", "Connections"]),

        // What runs on workers.
        target(
            "DataPlane",
            [
                "WebSocketProtocol", "HTTP1", "Balancing", "Configuration", "System", "TLS", "Credentials", "Admission",
                "Sessions", "Observability", "Connections", "ProxyProtocol", "Redis",
                .product(name: "DequeModule", package: "swift-collections"),
            ], resources: [.embedInCode("Pages/console.html")]),
        // What the control thread does.
        target(
            "ControlPlane",
            [
                "WebSocketProtocol", "HTTP1", "Balancing", "Configuration", "System", "TLS", "Credentials", "Admission",
                "Sessions", "Observability", "Connections", "ProxyProtocol", "Takeover", "DataPlane",
            ]),
        target(
            "Admin",
            [
                "ControlPlane", "Admission", "Credentials", "Connections", "Observability", "DataPlane", "Sessions",
                "WebSocketProtocol", "HTTP1", "System", "Configuration", "TLS",
            ], resources: dashboard.map { .embedInCode("Pages/\($0)") }),
        .executableTarget(
            name: "gateway",
            dependencies: [
                "Admin", "Admission", "Credentials", "ControlPlane", "Takeover", "DataPlane", "System", "Configuration",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),

        // The client that benchmarks are made with: see `gateway-load --help`.
        .executableTarget(
            name: "Load",
            dependencies: [
                "WebSocketProtocol", "HTTP1", "System", "CLinux", "TLS",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Benchmarks/Load", swiftSettings: settings),
        // Measures pure code; `ops/budgets` builds it for release.
        .executableTarget(
            name: "Micro",
            dependencies: [
                "WebSocketProtocol", "HTTP1", "Configuration", "Credentials", "Admission",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Benchmarks/Micro", swiftSettings: settings),

        // What several of the tests below have in common.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        tests("WebSocketProtocol"),
        tests("HTTP1"),
        tests("Balancing"),
        tests("Configuration", exclude: ["Golden"]),
        tests("ProxyProtocol", ["Configuration"]),
        tests("System"),
        tests("TLS", ["COpenSSL"]),
        tests("Credentials", ["HTTP1", "Configuration"], exclude: ["Vectors"]),
        tests("Admission", ["Credentials", "WebSocketProtocol", "HTTP1", "Configuration"]),
        tests("Sessions", ["WebSocketProtocol", "HTTP1", "Configuration", "System"]),
        tests("Observability", ["Sessions", "WebSocketProtocol", "Configuration", "System"]),
        tests("Connections", ["System", "TLS"]),
        tests("Redis", ["Configuration", "Connections", "System", "TLS"]),
        tests(
            "DataPlane",
            [
                "Admission", "Balancing", "Credentials", "Observability", "Connections", "Sessions", "Redis",
                "WebSocketProtocol",
                "HTTP1", "Configuration", "System", "TLS",
            ]),
        tests(
            "ControlPlane",
            [
                "DataPlane", "Takeover", "Connections", "Observability", "Credentials", "Admission", "Sessions",
                "Balancing", "WebSocketProtocol",
                "HTTP1", "Configuration", "System", "TLS",
            ]),
        tests(
            "Admin",
            [
                "ControlPlane", "Admission", "Observability", "DataPlane", "Sessions", "WebSocketProtocol", "HTTP1",
                "Configuration", "System",
            ]),
    ]
)

// They need libFuzzer, and flags for the whole build: only `ops/fuzz` builds them.
if Context.environment["GATEWAY_FUZZ"] != nil {
    package.targets += [
        .target(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"),
        .target(name: "Fuzzing", dependencies: ["CLibFuzzer"], path: "Tests/Fuzz/Fuzzing", swiftSettings: settings),
        fuzz("Frames", ["WebSocketProtocol"]),
        fuzz("Messages", ["WebSocketProtocol"]),
        fuzz("Request", ["HTTP1", "WebSocketProtocol", "Configuration", "Credentials", "Admission"]),
        fuzz("Response", ["HTTP1", "WebSocketProtocol", "Credentials", "Admission", "ControlPlane"]),
        fuzz("Files", ["HTTP1", "Configuration", "Admission"]),
        fuzz("Configuration", ["Configuration", "Admission"]),
        fuzz("Credential", ["HTTP1", "Configuration", "Credentials"]),
        fuzz("Session", ["Configuration", "System", "WebSocketProtocol", "Sessions"]),
        fuzz("Exchange", ["HTTP1", "Configuration", "Admission", "Sessions"]),
        fuzz("Proxy", ["Configuration", "ProxyProtocol"]),
        fuzz("Redis", ["Configuration", "System", "Redis"]),
    ]
}
