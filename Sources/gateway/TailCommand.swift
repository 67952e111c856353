internal import Admin
internal import ArgumentParser
internal import System

/// `gateway tail`.
struct TailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Show the frames of a session, or of all sessions of a route, as they pass.",
        discussion: """
            A line has the time (UTC), the time since the line before, `->` to the backend or `<-` to the client (`*>` and `<*` \
            for what the gateway sends of its own), the opcode (with `…` if its message goes on), the size in bytes, and the payload: text with what could control a terminal escaped, or the \
            first 32 bytes in hexadecimal. Without `payloads: true` in `admin` no payload is shown, \
            and of a Close its code.

            What ends at the gateway (built-in services, bridges) is shown inflated. A relay passes compressed messages on as they \
            are, and they are marked `compressed`. A frame in progress when the tail begins is not shown, and of a long one the first \
            64 KiB. A session is never slowed: frames that come faster than they are taken are left out and counted.

            Ends with the session, and says how that ended, or with Ctrl-C. Of a session that has ended it says how. Exits with 1 if there is no such session or route, or no gateway answers.

            EXAMPLES
              gateway tail 5f0c9a1be2d34c77
              gateway tail --route chat --hex
              gateway tail --route chat --json | jq -r 'select(.opcode == "text").text'
            """)

    enum Form: EnumerableFlag {
        case text
        case hex
        case json

        static func help(for value: Form) -> ArgumentHelp? {
            switch value {
            case .text: "Show text as text, and other payloads as the beginning of their bytes."
            case .hex: "Show all payloads as a dump below their line."
            case .json: "Print the JSON that the admin address says, a line for each frame."
            }
        }
    }

    @Argument(help: "The session's id, as the list and the log show it.")
    var id: String?

    @OptionGroup var selection: TailOptions

    @Flag var form: Form = .text

    @Flag(help: "Show pings and pongs, too.")
    var ping = false

    @OptionGroup var gateway: AdminOptions

    func validate() throws { _ = try self.selection.target(session: self.id) }

    func run() throws {
        let output = OutputFile.standardOutput
        var text = TailText(dumps: self.form == .hex, namesSession: self.id == nil)
        let (form, showsPings) = (self.form, self.ping)
        var failure: SystemError?
        let gateway = self.gateway
        let end = try gateway.listen(
            self.selection.target(session: self.id), opened: { gateway.sayIfPayloadsAreHidden() }
        ) { message in
            guard let line = try? TailLine(message) else { return true }
            guard showsPings || !line.isPingOrPong else { return true }
            failure = output.append(form == .json ? message + [0x0A] : Array(text.text(of: line).utf8)).failure
            return failure == nil
        }
        // What reads a pipe may end before us.
        if let failure, !failure.isConnectionReset { throw AdminOptions.failed("cannot write: \(failure.reason)") }
        try AdminOptions.check(end, ofSession: self.id)
    }
}
