internal import ArgumentParser

/// The command line of the load client.
@main
struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway-load",
        abstract: "Load for WebSocket servers and proxies on this machine, and figures about them.",
        discussion: """
            One thread opens sessions, sends binary messages and prints one JSON object at the end, or after each turn that \
            it is asked for: messages per second, latencies, and the processor time that the processes named with --pid \
            have used meanwhile.

            EXAMPLES
              W=ws://127.0.0.1:8080 S=wss://127.0.0.1:8443
              gateway-load pingpong $W/echo --sessions 100 --size 64
              gateway-load rate $W/echo --sessions 1000 --size 64 --rate 5000
              gateway-load handshakes $S/echo --concurrency 16 --resume
              sleep 60 | gateway-load idle $S/echo --sessions 9000
              gateway-load broadcast $W/broadcast/load --receivers 500 --size 64
              yes "" | head -3 | gateway-load pingpong $W/echo --sessions 9 --size 64 \
                --turns-on-request

            EXIT STATUS
              0 with figures; 1 if anything was not as it should be, such as a
              wrong echo or a session that ended; 64 for wrong usage.
            """,
        subcommands: [
            PingPongCommand.self, RateCommand.self, HandshakesCommand.self, IdleCommand.self, BroadcastCommand.self,
        ])
}
