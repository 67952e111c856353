/// The table of the keys of `gateway.conf`: of each its section, name, type, bounds, default and meaning. What reads the file, the
/// defaults of the settings and the schema are made from it.
enum Keys {
    static let gateway = SectionKeys("gateway", Gateway())
    static let names = SectionKeys("names", Names())
    static let admin = SectionKeys("admin", Admin())
    static let adminAuth = SectionKeys("admin-auth", AdminAuth())
    static let adminBasic = SectionKeys("admin-basic", [basic.file as any KeyRow, basic.realm])
    static let log = SectionKeys("log", Log())
    static let drain = SectionKeys("drain", Drain())
    static let listener = SectionKeys("listener", Listener())
    static let listenerTLS = SectionKeys("listener-tls", ListenerTLS())
    static let certificate = SectionKeys("certificate", Certificate())
    static let listenerTimeouts = SectionKeys("listener-timeouts", ListenerTimeouts())
    static let listenerLimits = SectionKeys("listener-limits", ListenerLimits())
    static let defaults = SectionKeys("defaults", Defaults())
    static let defaultTimeouts = SectionKeys(
        "default-timeouts", timeouts.section.rows + listenerTimeouts.section.rows)
    static let defaultLimits = SectionKeys(
        "default-limits",
        limits.section.rows + listenerLimits.section.rows.filter { !limits.section.has($0.name) })
    static let route = SectionKeys("route", Route())
    static let auth = SectionKeys("auth", Auth())
    static let jwt = SectionKeys("jwt", JWT())
    static let basic = SectionKeys("basic", Basic())
    static let forward = SectionKeys("forward", Forward())
    static let clientCertificate = SectionKeys("client-certificate", ClientCertificate())
    static let authTLS = SectionKeys("auth-tls", AuthTLS())
    static let redirect = SectionKeys("redirect", Redirect())
    static let answer = SectionKeys("answer", Answer())
    static let files = SectionKeys("files", Files())
    static let timeouts = SectionKeys("timeouts", Timeouts(), elsewhere: listenerTimeouts.section)
    static let limits = SectionKeys("limits", Limits(), elsewhere: listenerLimits.section)
    static let heartbeat = SectionKeys("heartbeat", Heartbeat())
    static let backend = SectionKeys(
        "backend", Backend())
    static let history = SectionKeys("history", History())
    static let webSocketEndpoint = SectionKeys(
        "websocket-endpoint", WebSocketEndpoint())
    static let tcpEndpoint = SectionKeys("tcp-endpoint", TCPEndpoint())
    static let backendTLS = SectionKeys("backend-tls", BackendTLS())
    static let cookie = SectionKeys("cookie", Cookie())
    static let health = SectionKeys("health", Health())
    static let eject = SectionKeys("eject", Eject())
    static let rebalance = SectionKeys("rebalance", Rebalance())
    static let cluster = SectionKeys("cluster", Cluster())
    static let backendTimeouts = SectionKeys(
        "backend-timeouts", [timeouts.connect as any KeyRow])
    static let backendLimits = SectionKeys(
        "backend-limits", [limits.backendMessage as any KeyRow, limits.backendFragments])
}

private let day = Duration.seconds(86400)
private let upToADay = Duration.milliseconds(1)...day
/// No longer than an empty room is known.
private let upToAWeek = Duration.milliseconds(1)...Duration.seconds(7 * 86400)
private let upToADayOrZero = Duration.zero...day
/// A session may be meant to last for days.
private let upTo30Days = Duration.milliseconds(1)...Duration.seconds(30 * 86400)
private let upToAThousand = 1...1000
private let anyCount = 0...1_000_000_000
private let anySize = ByteCount.bytes(0)...ByteCount.bytes(1 << 50)
private let closesPerSecond = 0.01...100_000.0
private let requestsPerSecond = 0.01...1_000_000.0

extension Keys {
    // MARK: - The top of the file

    struct Gateway {
        let workers = Key(
            "workers", .auto(or: 1...1024), default: "auto",
            "The number of worker threads. auto is one for each core that the process may use.")
        let memory = Key(
            "memory", .auto(or: .mebibytes(1)...anySize.upperBound), default: "auto",
            "The most memory for what is queued and assembled in all sessions together. auto is a quarter of the machine's memory, or of the control group's limit."
        )
        let names = MappingKey("names", Keys.names, "How host names of endpoints are looked up.")
        let admin = MappingKey(
            "admin", Keys.admin, as: .mappingOr([["type": "string"]]), default: "off",
            "The address of metrics, live sessions and control commands. off: there is none.")
        let log = MappingKey("log", Keys.log, "What is logged, in which format and where.")
        let drain = MappingKey("drain", Keys.drain, "How the closing of many sessions is spread over time.")
        let trustedProxies = ListKey(
            "trusted-proxies", of: .trustedProxy, default: "[]",
            "The addresses and networks of reverse proxies. The X-Forwarded fields and PROXY headers that they send are believed. unix stands for every peer on a Unix socket."
        )
        let listeners = MappingKey(
            "listeners", Keys.listener, as: .filledList, presence: .required,
            "The addresses on which the gateway listens. Every route answers on every listener.")
        let defaults = MappingKey("defaults", Keys.defaults, "The rules for every route that does not set its own.")
        let routes = MappingKey(
            "routes", Keys.route, as: .list, "Which request leads to which backend. The first route that matches wins.")
        let backends = MappingKey("backends", Keys.backend, as: .byName, "What routes lead to, by name.")
        let cluster = MappingKey(
            "cluster", Keys.cluster, "The Redis server by which broadcast rooms are the same on several gateways.")
    }

    struct Names {
        /// More questions would be a burden to name servers.
        let refresh = Key(
            "refresh", .duration(.seconds(1)...day), default: "30s",
            "How often a name is looked up. It is looked up sooner after a failure, or when none of its addresses can be connected to."
        )
    }

    struct Admin {
        let address = OptionalKey(
            "address", .listenAddress, presence: .required,
            "For example 127.0.0.1:9901, unix:/run/gateway-admin.sock or unix:@name.")
        let hosts = ListKey(
            "hosts", of: .hostName, default: "[]", "The host names it answers to, besides IP addresses and localhost.")
        let access = FileAccess()
        let readOnly = Key(
            "read-only", .truth, default: "false",
            "Refuse every method but GET and HEAD, and what changes something, with 403. POST /api/explain changes nothing."
        )
        let payloads = Key(
            "payloads", .truth, default: "false",
            "Show what is in the messages of sessions, not only how large they are. It needs auth, a unix: or a loopback address."
        )
        let auth = MappingKey(
            "auth", Keys.adminAuth, as: .mappingOr([["const": "off"]]), default: "off",
            "What one must show. /healthz and /readyz never ask for it. off: nothing.")
        let metrics = Key(
            "metrics", KeyType<MetricsAccess>.word, default: "asks",
            "Whether /metrics asks for what auth says. open: it does not.")
        let tls = MappingKey("tls", Keys.listenerTLS, "Accept https:// instead of http://.")
    }

    struct AdminAuth {
        let basic = MappingKey(
            "basic", Keys.adminBasic, presence: .required, "A user and a password (HTTP Basic).")
    }

    struct FileAccess {
        let mode = OptionalKey("mode", .mode, "The permissions of a Unix socket's file, in octal digits and quoted.")
        let group = OptionalKey("group", .name, "The group of a Unix socket's file, by name or number. It needs mode.")
    }

    struct Log {
        let format = Key("format", KeyType<LogFormat>.word, default: "auto", "auto is text on a terminal, else json.")
        let level = Key("level", KeyType<LogLevel>.word, default: "info", "The least important lines that are logged.")
        let file = OptionalKey("file", .file, "A file to append to, instead of standard error.")
        let requests = Key(
            "requests", KeyType<LoggedRequests>.word, default: "errors",
            "Which plain requests have a line. errors: those answered with 500 and up, or not to the end.")
    }

    struct Drain {
        let delay = Key(
            "delay", .duration(upToADayOrZero), default: "0s",
            "How long /readyz answers 503 while connections are still accepted, before the drain begins.")
        let over = Key(
            "over", .duration(upToADayOrZero), default: "30s", "The time over which the sessions are closed.")
        let rate = Key(
            "rate", KeyType<Double>.rate(closesPerSecond).orOff, default: "off",
            "The most sessions to close per second, even if that takes longer than over. off: no limit.")
    }

    // MARK: - Listeners

    struct Listener {
        let address = OptionalKey(
            "address", .listenAddress, presence: .required,
            "For example 127.0.0.1:8080, \"[::1]:8080\", unix:/run/gateway.sock or unix:@name. :8080 is every local address."
        )
        let access = FileAccess()
        let tls = MappingKey("tls", Keys.listenerTLS, "Accept wss:// and https:// instead of ws:// and http://.")
        let proxyProtocol = Key(
            "proxy-protocol", .truth, default: "false",
            "Each connection has to begin with a PROXY header, version 1 or 2, that names its client. Only those of trusted-proxies may connect."
        )
        let allow = ListKey(
            "allow", of: .network, default: "[]",
            "The addresses and networks that may connect; the connections of others are closed. Behind a proxy it is the proxy's address that counts. []: all."
        )
        let timeouts = MappingKey(
            "timeouts", Keys.listenerTimeouts, "How long its connections may wait. Without it: those of defaults.")
        let limits = MappingKey(
            "limits", Keys.listenerLimits, "How large its requests may be. Without it: those of defaults.")
    }

    struct ListenerTimeouts {
        let keepAlive = Key(
            "keep-alive", .duration(upToADay), default: "60s",
            "How long a connection may wait for its next request, once one was answered.")
    }

    struct ListenerLimits {
        /// It has to hold the fields that every request has, and each connection may fill it.
        let head = Key(
            "head", .size(.kibibytes(1)...(.kibibytes(1024))), default: "16KiB",
            "The largest head of a request: its line and its fields.")
        let connectionsPerAddress = Key(
            "connections-per-address", KeyType<Int>.count(1...anyCount.upperBound).orOff, default: "0",
            "The most connections that an address (IPv6: a /64) may have open at the listener at once. More are closed at once. 0: no limit."
        )
        let scope = ScopeLimits()
    }

    /// Of a route, of a listener, and in `defaults` of the whole gateway. None is inherited.
    struct ScopeLimits {
        let sessions = Key(
            "sessions", KeyType<Int>.count(1...anyCount.upperBound).orOff, default: "0",
            "The most sessions at once. More are answered with 503. On a route: its sessions, on a listener: its sessions, in defaults: all. 0: no limit."
        )
        let sessionsPerAddress = Key(
            "sessions-per-address", KeyType<Int>.count(1...anyCount.upperBound).orOff, default: "0",
            "The most sessions of a client's address (IPv6: a /64) at once. More are answered with 429. 0: no limit.")
        let handshakesPerAddress = Key(
            "handshakes-per-address", KeyType<Double>.rate(requestsPerSecond).orOff, default: "off",
            "How many upgrade requests a client's address may send per second. More are answered with 429. off: no limit."
        )
        let requestsPerAddress = Key(
            "requests-per-address", KeyType<Double>.rate(requestsPerSecond).orOff, default: "off",
            "How many other requests a client's address may send per second. More are answered with 429. off: no limit."
        )
    }

    struct ListenerTLS {
        let certificates = MappingKey(
            "certificates", Keys.certificate, as: .filledList, presence: .alternative,
            "Certificates from files, chosen by the name the client asks for (SNI). The first is the default. A name may have an RSA and an ECDSA certificate."
        )
        let selfSigned = ListKey(
            "self-signed", of: .hostPattern, presence: .alternative,
            "The host names and IP addresses of a certificate that is made at start, for trying things out.")
        let minimum = Key("minimum", KeyType<MinimumTLS>.word, default: "1.2", "The oldest version of TLS to accept.")
        let clientCA = OptionalKey(
            "client-ca", .file, "A PEM file of authorities. Clients must show a certificate that one of them signed.")
        let clientAuth = Key(
            "client-auth", KeyType<ClientAuth>.word, default: "required",
            "With client-ca. required: a client without a certificate is refused. optional: it is let in, and the auth of routes decides."
        )
    }

    struct Certificate {
        let chain = OptionalKey(
            "chain", .file, presence: .required,
            "A PEM file with the certificate, followed by the certificates that signed it.")
        let key = OptionalKey("key", .file, presence: .required, "A PEM file with the certificate's private key.")
    }

    // MARK: - Routes

    struct Route {
        let name = OptionalKey("name", .name, "The route's name in logs, instead of its first host and its path.")
        let path = OptionalKey(
            "path", .unread, presence: .required,
            "/chat is exactly this path, /chat/* everything below it, /* every path.")
        let encodedSlashes = Key(
            "encoded-slashes", KeyType<PathPattern.EncodedSlashes>.word, default: "refuse",
            "What to do with %2F in the path of a request. refuse: answer 400. keep: take it as part of a name, and pass it on."
        )
        let hosts = ListKey(
            "hosts", of: KeyType<HostPattern>.text { text throws(Mistake) in try HostPattern(parsing: text) },
            "The hosts the route answers to: names, IP addresses, \"*.example.com\". Without it: any host.")
        let subprotocols = ListKey(
            "subprotocols", of: .subprotocol,
            "The subprotocols to allow, best first. Without it, the backend picks one.")
        let requireSubprotocol = Key(
            "require-subprotocol", .truth, default: "false", "Refuse a client that offers none of the subprotocols.")
        let scheme = OptionalKey(
            "scheme", KeyType<ClientScheme>.word,
            "The scheme of the requests: http also stands for ws, and https for wss. What a trusted proxy says of its client counts. Without it: both."
        )
        let rules = SessionRule()
        let signIn = OptionalKey(
            "sign-in", KeyType<WebURL>.text { text throws(Mistake) in try WebURL(parsing: text) },
            "Where a browser is sent that asks for a page without a good credential, with rd=URL of the page. Without it: 401."
        )
        let listenOnly = Key(
            "listen-only", .truth, default: "false",
            "Members of a broadcast room may only listen: a message of one ends its session with 1008.")
        let timeouts = MappingKey("timeouts", Keys.timeouts, "How long the steps of a session or a request may take.")
        let limits = MappingKey(
            "limits", Keys.limits, "The largest messages and requests, and the memory that a session may use.")
        let headers = NamedTextsKey(
            "headers", of: .fields,
            "Fields of every answer of the route, by name. They replace those of a backend.")
        let backend = OptionalKey(
            "backend", .unread, presence: .alternative, "The name of the backend the route leads to.")
        let publish = OptionalKey(
            "publish", .unread, presence: .alternative,
            "The name of a broadcast backend: the body of a POST becomes a message for the room that the * of the path names. It needs auth or allow."
        )
        let http = Key(
            "http", KeyType<PlainHTTP>.word, default: "off",
            "What becomes of requests that do not open a WebSocket. off: they are answered with 426. pass: the WebSocket backend gets them, too."
        )
        let files = MappingKey(
            "files", Keys.files, as: .mappingOr([["type": "string"]]), presence: .alternativeBeside("backend"),
            "The folder with the files to serve, or {folder, fallback}. With an exact path: the file. Beside a backend: upgrades go there, and the rest are files."
        )
        let redirect = MappingKey(
            "redirect", Keys.redirect, as: .mappingOr([["type": "string"]]), presence: .alternative,
            "Sends clients elsewhere: https, a URL, or {to, status}.")
        let answer = MappingKey(
            "answer", Keys.answer, presence: .alternative, "A fixed answer, such as for probes of a load balancer.")
        let page = OptionalKey(
            "page", KeyType<BuiltinPage>.word, presence: .alternative,
            "A built-in page. console: try the routes from a browser.")
    }

    struct Redirect {
        let to = OptionalKey(
            "to", .redirectTarget, presence: .required,
            "https: the same host, path and query, without the port. Or a URL: without a path it gets the request's path and query."
        )
        let status = Key(
            "status", KeyType<RedirectStatus>.word, default: "308", "The status of the answer.")
    }

    struct Answer {
        let status = Key("status", .count(200...599), default: "200", "The status of the answer.")
        let text = Key("text", .unread, default: "", "The body of the answer.")
        let type = Key(
            "type", .mediaType, default: "text/plain",
            "The Content-Type of the answer. Text without a charset is said to be UTF-8.")
    }

    struct Files {
        let folder = OptionalKey(
            "folder", .file, presence: .required, "The folder that the path of the route stands for, up to its *.")
        let fallback = OptionalKey(
            "fallback", .unread,
            "The page that a browser gets where there is no file, as a path below the folder: /index.html.")
    }

    struct Defaults {
        let rules = SessionRule()
        let timeouts = MappingKey(
            "timeouts", Keys.defaultTimeouts, "How long the steps of a session or a request may take.")
        let limits = MappingKey(
            "limits", Keys.defaultLimits, "The largest messages and requests, and the memory that a session may use.")
    }

    /// What `defaults` and a route have in common, besides timeouts and limits.
    struct SessionRule {
        let allow = ListKey(
            "allow", of: .network, default: "[]",
            "The addresses and networks of clients that are let in; others are answered with 403. What a trusted proxy says of its client counts. []: all."
        )
        let origins = Key(
            "origins", .originPolicy, default: "same-origin",
            "Which pages may open a session. same-origin: pages from the scheme, host and port that they connect to. any: every page. Or a list of origins."
        )
        let requireOrigin = Key(
            "require-origin", .truth, default: "false", "Refuse clients that send no Origin, which are not browsers.")
        let compression = Key(
            "compression", KeyType<CompressionRule>.word, default: "pass",
            "Whether messages may be compressed (permessage-deflate). pass: a WebSocket backend decides, built-in backends and bridges accept it. off: never."
        )
        let utf8 = Key(
            "utf8", KeyType<UTF8Check>.word, default: "pass",
            "Whether relayed text is checked to be UTF-8. check: other text ends the session with 1007. Compressed text is not checked."
        )
        let closeCodes = Key(
            "close-codes", KeyType<CloseCodes>.word, default: "registered",
            "Which close codes clients get from the gateway. registered: 1012 and 1013 too. rfc6455: 1001 and 1008 instead, for clients that take 1012 and 1013 for protocol errors."
        )
        let heartbeat = MappingKey(
            "heartbeat", Keys.heartbeat, as: .mappingOr([["const": "off"]]),
            "Pings to both sides when they are silent. off: none.")
        let auth = MappingKey(
            "auth", Keys.auth,
            as: .mappingOr([
                ["const": "off"], ["type": "array", "minItems": 1, "items": .reference("auth")],
            ]),
            default: "off",
            "What a client must show to be let in: one kind of credential, or a list of kinds, of which one will do. off: nothing."
        )
    }

    struct Timeouts {
        let handshake = Key(
            "handshake", .duration(upToADay), default: "10s",
            "From accept to the open session, TLS and the backend's handshake included.")
        let connect = Key(
            "connect", .duration(upToADay), default: "5s",
            "For a connection to an endpoint: all addresses of its name together, and TLS.")
        let close = Key(
            "close", .duration(upToADay), default: "5s",
            "For the other side to answer a Close and end its connection, once everything is delivered to it.")
        let idle = Key(
            "idle", KeyType<Duration>.duration(upTo30Days).orOff, default: "off",
            "The session ends if no message passes in either direction for this long.")
        let session = Key(
            "session", KeyType<Duration>.duration(upTo30Days).orOff, default: "off",
            "The longest time a session may last.")
        let response = Key(
            "response", .duration(upToADay), default: "100s",
            "For a backend to begin its answer to a plain request.")
        let requestBody = Key(
            "request-body", .duration(upToADay), default: "30s",
            "From one piece of a plain request's body to the next. No piece of an answer may wait longer to be taken.")
    }

    struct Limits {
        let message = Key(
            "message", .size(anySize), default: "1MiB", "The largest message a client may send. 0: no limit.")
        let backendMessage = Key(
            "backend-message", .size(anySize), default: "16MiB", "The largest message a backend may send. 0: no limit.")
        let fragments = Key(
            "fragments", .count(anyCount), default: "1024", "The most frames in a message of a client. 0: no limit.")
        let backendFragments = Key(
            "backend-fragments", .count(anyCount), default: "16384",
            "The most frames in a message of a backend. 0: no limit.")
        let queue = Key(
            "queue", .size(.kibibytes(4)...(.mebibytes(1024))), default: "1MiB",
            "How much is held for a side that reads slowly, before the other side has to wait.")
        let compression = Key(
            "compression", .size(anySize), default: "64KiB",
            "Memory for compression in a session of a built-in backend or a bridge. 0: no limit.")
        let body = Key(
            "body", .size(anySize), default: "1MiB", "The largest body of a plain request. 0: no limit.")
        let messagesPerSecond = Key(
            "messages-per-second", KeyType<Int>.count(1...anyCount.upperBound).orOff, default: "0",
            "How many messages the client of a session may send per second. 0: no limit.")
        let bytesPerSecond = Key(
            "bytes-per-second", KeyType<ByteCount>.size(.bytes(1)...anySize.upperBound).orOff, default: "0",
            "How much payload the client of a session may send per second, as it is on the wire. 0: no limit.")
        let overRate = Key(
            "over-rate", KeyType<OverRate>.word, default: "delay",
            "What becomes of messages beyond these two. delay: they wait, and the client is not read. close: the session ends with 1008."
        )
        let scope = ScopeLimits()
    }

    struct Heartbeat {
        /// Shorter times would be a load, and find nothing more. They are for tests.
        let interval = Key(
            "interval", .duration(.milliseconds(100)...day), default: "25s", "The silence after which a side is pinged."
        )
        let timeout = Key(
            "timeout", .duration(.milliseconds(50)...day), default: "10s",
            "How long a side may stay silent after a ping before it counts as dead.")
    }

    // MARK: - Backends

    struct Backend {
        let builtin = OptionalKey(
            "builtin", KeyType<BuiltinName>.word, presence: .alternative,
            "echo sends every message back, broadcast sends it to all members of the room, clock sends the time.")
        let every = Key("every", .duration(upToADay), default: "1s", "How often the clock sends the time.")
        let slowConsumer = Key(
            "slow-consumer", KeyType<SlowConsumer>.word, default: "close",
            "What becomes of a member of a broadcast room that reads too slowly. close: its session ends with 1013. drop-oldest: it misses the oldest messages that wait for it."
        )
        let history = MappingKey(
            "history", Keys.history, as: .mappingOr([["const": "off"]]), default: "off",
            "What a broadcast backend remembers of its rooms, so that members that come back get what they missed. {}: its defaults. off: nothing."
        )
        let websocket = MappingKey(
            "websocket", Keys.webSocketEndpoint, as: .filledListOfTextOrMappings, presence: .alternative,
            "The URLs of WebSocket servers. A URL without a path gets the client's path and query; one with a path gets that path; /* at its end stands for what the * of the route's path matched."
        )
        let tcp = MappingKey(
            "tcp", Keys.tcpEndpoint, as: .filledListOfTextOrMappings, presence: .alternative,
            "The addresses of TCP servers, such as 127.0.0.1:5900, tls://broker:8883 or \"unix:/run/vnc.sock\".")
        let tokens = OptionalKey(
            "tokens", .file, presence: .alternative,
            "A file with lines such as TOKEN: 127.0.0.1:5901, or a folder of them, as websockify has. The token of a request says which TCP server its session leads to."
        )
        let token = Key(
            "token", .tokenPlace, default: "query:token",
            "Where a request has its token: query:NAME, header:NAME, or path: what the * of the route's path matched.")
        let message = Key(
            "message", KeyType<BridgeMessage>.word, default: "binary",
            "The kind of message that a TCP server's bytes become.")
        let tls = MappingKey("tls", Keys.backendTLS, "TLS towards wss:// and tls:// endpoints.")
        let host = Key(
            "host", KeyType<HostHeader>.text { text throws(Mistake) in try HostHeader(parsing: text) }, default: "pass",
            "The Host that a WebSocket server sees. pass: the client's. endpoint: that of its own URL. Or a name.")
        let source = OptionalKey("source", .address, "The local IP address to connect from.")
        let sendProxyProtocol = Key(
            "send-proxy-protocol", KeyType<ProxyProtocolVersion>.word.orOff, default: "off",
            "Begin each connection with a PROXY header of this version, which tells the endpoint the client's address. off: none."
        )
        let balance = Key(
            "balance", .balance, default: "round-robin",
            "How the endpoint of the next session is chosen. cookie: the one that the client had before. hash-cookie:NAME, hash-header:NAME, hash-query:NAME: the same for the same value."
        )
        let cookie = MappingKey("cookie", Keys.cookie, "The cookie that balance: cookie sets.")
        let health = MappingKey(
            "health", Keys.health, as: .mappingOr([["const": "off"], KeyType<HealthCheckKind>.word.schema]),
            default: "off",
            "How the endpoints are checked: the name of a check, or its settings. off: they are not.")
        let eject = MappingKey(
            "eject", Keys.eject, as: .mappingOr([["const": "off"]]), default: "off",
            "When failed sessions take an endpoint out of use. off: never.")
        let slowStart = Key(
            "slow-start", KeyType<Duration>.duration(upToADay).orOff, default: "off",
            "How long it takes until an endpoint that is up again gets its whole share of new sessions.")
        let rebalance = MappingKey(
            "rebalance", Keys.rebalance, as: .mappingOr([["const": "off"]]), default: "off",
            "How sessions are moved to an endpoint that is up again. off: they stay.")
        let timeouts = MappingKey(
            "timeouts", Keys.backendTimeouts, "Timeouts for routes to this backend that do not set their own.")
        let limits = MappingKey(
            "limits", Keys.backendLimits, "Limits for routes to this backend that do not set their own.")
        let heartbeat = MappingKey(
            "heartbeat", Keys.heartbeat, as: .mappingOr([["const": "off"]]),
            "Pings to the endpoints, for routes that do not set their own. off: none.")
    }

    struct History {
        let messages = Key(
            "messages", .count(1...100_000), default: "100", "The most messages of a room that are remembered.")
        let lifetime = Key(
            "for", .duration(upToAWeek), default: "1h",
            "How long a room's messages are remembered. It begins anew with each message.")
        let memory = Key(
            "memory", .size(.kibibytes(64)...anySize.upperBound), default: "16MiB",
            "The most memory for all rooms of the backend, and for the keys of messages that were published. The oldest messages of a large room go first."
        )
    }

    struct WebSocketEndpoint {
        let url = OptionalKey(
            "url", .unread, presence: .required,
            "For example ws://127.0.0.1:3000, wss://chat.internal/chat, ws://10.0.0.1/base/* or ws+unix:/run/app.sock:/chat."
        )
        let share = EndpointShare()
    }

    struct TCPEndpoint {
        let address = OptionalKey(
            "address", .unread, presence: .required,
            "For example 127.0.0.1:5900, tls://broker:8883, unix:/run/vnc.sock or unix:@vnc."
        )
        let share = EndpointShare()
    }

    struct EndpointShare {
        let weight = Key(
            "weight", .count(upToAThousand), default: "1", "The endpoint's share of sessions, relative to the others.")
        let backup = Key("backup", .truth, default: "false", "Use the endpoint only while no other is up.")
    }

    struct BackendTLS {
        let ca = OptionalKey("ca", .file, "A PEM file of authorities to trust, instead of the system's.")
        let serverName = OptionalKey(
            "server-name", .hostName, "The name to ask for and to verify, instead of the endpoint's host.")
        let verify = Key("verify", .truth, default: "true", "Verify the endpoint's certificate.")
        let certificate = MappingKey(
            "certificate", Keys.certificate, "The certificate to show to endpoints that ask for one.")
    }

    struct Cookie {
        let sameSite = Key(
            "same-site", KeyType<SameSite>.word, default: "lax",
            "Whether browsers send the cookie from pages of other sites. lax: no. none: yes, over https.")
        let key = OptionalKey(
            "key", .secret,
            "A secret. With it the cookie's value is an HMAC of the endpoint, else a hash that others can compute.")
    }

    struct Health {
        let check = OptionalKey(
            "check", KeyType<HealthCheckKind>.word, presence: .required,
            "websocket: an opening handshake, a ping and its pong. connect: a TCP connection, and TLS where the endpoint has it. http: a GET request and its status."
        )
        let interval = Key(
            "interval", .duration(.milliseconds(10)...day), default: "5s", "The time from one check to the next.")
        let timeout = Key(
            "timeout", .duration(.milliseconds(10)...day), default: "2s",
            "The longest time for one check. It may not be longer than the interval.")
        let rise = Key(
            "rise", .count(upToAThousand), default: "2",
            "The number of checks in a row that must pass before an endpoint that is down is up again.")
        let fall = Key(
            "fall", .count(upToAThousand), default: "3",
            "The number of checks in a row that must fail before an endpoint that is up is down.")
        let path = OptionalKey(
            "path", .target, "The path to ask for (websocket, http), instead of the endpoint's own, or /.")
        let host = OptionalKey("host", .authority, "The Host to send (websocket, http), instead of the endpoint's own.")
        let subprotocol = OptionalKey(
            "subprotocol", .subprotocol, "The subprotocol to offer, which the answer must accept (websocket).")
        let headers = NamedTextsKey(
            "headers", of: .fields, isSecret: true,
            "Further fields of the request (websocket, http), by name. Their values are shown nowhere.")
        /// An interim status is no answer (RFC 9110 section 15.2).
        let status = OptionalKey(
            "status", .count(200...599), "The status of a healthy endpoint (http). Without it: 200 to 399.")
    }

    struct Eject {
        let failures = Key(
            "failures", .count(upToAThousand), default: "5",
            "The number of sessions in a row that must fail to connect or to open.")
        let duration = Key(
            "for", .duration(.milliseconds(10)...day), default: "10s", "How long the endpoint is out of use.")
    }

    struct Rebalance {
        let rate = OptionalKey(
            "rate", .rate(closesPerSecond), presence: .required,
            "The most sessions to close per second, idle ones first.")
    }

    // MARK: - Several gateways

    struct Cluster {
        let redis = OptionalKey(
            "redis", KeyType<RedisServer>.text { text throws(Mistake) in try RedisServer(parsing: text) },
            presence: .required,
            "The server: redis://HOST:PORT/DATABASE, rediss:// with TLS, or unix:/run/redis.sock.")
        let user = OptionalKey("user", .name, "The user at the server. Without it: its default user.")
        let password = OptionalKey("password", .secret, "The user's password.")
        let prefix = Key(
            "prefix", .prefix, default: "gateway",
            "What the names of all keys and channels at the server begin with. Gateways with the same prefix share their rooms."
        )
        let tls = MappingKey("tls", Keys.backendTLS, "TLS towards a rediss:// server.")
    }
}

// MARK: - Types of one key each

extension KeyType<OriginPolicy> {
    fileprivate static var originPolicy: Self {
        let schema: JSON = [
            "anyOf": [
                ["enum": .array(OriginPolicy.words.map { .string($0) })],
                ["type": "array", "items": ["type": "string"]],
                .variable,
            ]
        ]
        return Self(schema: schema) { text throws(Mistake) in try OriginPolicy(word: text) }
    }
}

extension KeyType<RedirectTarget> {
    fileprivate static var redirectTarget: Self {
        .text { text throws(Mistake) in try RedirectTarget(parsing: text) }
    }
}

extension KeyType<String> {
    fileprivate static var prefix: Self { .text { text throws(Mistake) in try Word.prefix(text) } }
    fileprivate static var mediaType: Self { .text { text throws(Mistake) in try Word.mediaType(text) } }
}

extension KeyType<IPAddress> {
    fileprivate static var address: Self {
        .text { text throws(Mistake) in
            guard let address = IPAddress(text) else { throw .expected("an IP address", not: text) }
            return address
        }
    }
}

extension KeyType<IPNetwork> {
    fileprivate static var network: Self {
        .text { text throws(Mistake) in
            guard let network = IPNetwork(text) else {
                throw .expected("an address or network such as `10.0.0.0/8` or `\"fd00::/8\"`", not: text)
            }
            return network
        }
    }
}

extension KeyType<IPNetwork?> {
    /// A network; the word `unix` is `nil`.
    fileprivate static var trustedProxy: Self {
        .text { text throws(Mistake) in
            if text == "unix" { return nil }
            guard let network = IPNetwork(text) else {
                let hint = text.hasPrefix("unix:") ? "`unix` alone stands for every socket" : nil
                throw .expected(
                    "`unix` or an address or network such as `10.0.0.0/8` or `\"fd00::/8\"`", not: text, hint: hint)
            }
            return network
        }
    }
}

extension KeyType<Balance> {
    fileprivate static var balance: Self {
        let kinds = Balance.Kind.allCases.map(\.rawValue).joined(separator: "|")
        let schema: JSON = [
            "anyOf": [
                ["enum": .array(Balance.plain.map { .string($0.description) })],
                ["type": "string", "pattern": .string("^(\(kinds)):.+$")], .variable,
            ]
        ]
        return Self(schema: schema) { text throws(Mistake) in try Balance(parsing: text) }
    }
}

extension KeyType<TargetTokenPlace> {
    fileprivate static var tokenPlace: Self {
        let schema: JSON = [
            "anyOf": [
                ["const": "path"], ["type": "string", "pattern": "^(query|header):.+$"], .variable,
            ]
        ]
        return Self(schema: schema) { text throws(Mistake) in try TargetTokenPlace(parsing: text) }
    }
}
