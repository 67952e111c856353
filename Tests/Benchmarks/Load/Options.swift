internal import ArgumentParser

/// The server.
struct TargetOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("ws://127.0.0.1:PORT/PATH or wss://…", valueName: "url"))
    var url: LoadURL
}

/// The message.
struct MessageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The payload of a message; 1 or more.", valueName: "bytes"))
    var size: Int

    func validate() throws {
        guard self.size > 0 else { throw ValidationError("--size must be at least 1") }
    }
}

/// How long to measure, and the processes to measure.
struct WindowOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The time that is measured.", valueName: "s"))
    var seconds = 3.0

    @Option(help: ArgumentHelp("The time before that.", valueName: "s"))
    var warmup = 0.5

    @Option(
        name: .customLong("pid"),
        help: ArgumentHelp("A process whose processor time is reported; repeat it for more.", valueName: "pid"))
    var pids: [Int32] = []

    @Flag(
        help: """
            Open the sessions, print {"ready":true}, and then wait: every line of standard input is a turn, a warm-up and a \
            measured time, after which all messages come back, and one JSON object on a line. The line may name more \
            processes, as --pid does. The end of the input ends the process.
            """)
    var turnsOnRequest = false

    func validate() throws {
        guard self.seconds > 0, self.warmup >= 0 else { throw ValidationError("times must be positive") }
    }
}

/// Rejects a count below 1.
func requirePositive(_ value: Int, _ name: String) throws {
    guard value > 0 else { throw ValidationError("\(name) must be at least 1") }
}
