internal import Admin
internal import ArgumentParser
internal import System

/// `gateway record`.
struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Write the frames of a session, or of all sessions of a route, to a file.",
        discussion: """
            The file has a line of JSON for each frame, as `gateway tail --json --ping` prints them. It is made by this command, only \
            its owner may read it, and no other file is replaced. Without `payloads: true` in `admin` it has no payloads.

            Ends with the session, with Ctrl-C or with SIGTERM, and then says on standard error how many lines the file has. Exits \
            with 1 if there is no such session or route, if the file cannot be written, or if no gateway answers.

            EXAMPLES
              gateway record 5f0c9a1be2d34c77 session.jsonl
              gateway record --route chat chat.jsonl
            """)

    @Argument(help: "The session's id, as the list and the log show it. (not with --route)")
    var id: String?

    @Argument(help: "The file to make.")
    var file: String?

    @OptionGroup var selection: TailOptions

    @OptionGroup var gateway: AdminOptions

    /// With `--route` the only argument is the file.
    private var names: (session: String?, file: String?) {
        self.selection.route != nil && self.file == nil ? (nil, self.id) : (self.id, self.file)
    }

    func validate() throws {
        _ = try self.selection.target(session: self.names.session)
        guard self.names.file != nil else { throw ValidationError("Name the file to make.") }
    }

    func run() throws {
        let (session, path) = (self.names.session, self.names.file ?? "")
        let recording = Recording(path)
        let gateway = self.gateway
        let end = try gateway.listen(
            self.selection.target(session: session), opened: { recording.open() && gateway.sayIfPayloadsAreHidden() },
            receive: { recording.append($0) })
        if recording.isOpen {
            let (lines, skipped) = (recording.lines, recording.skipped)
            let more = skipped > 0 ? ", and \(skipped) frames were left out" : ""
            OutputFile.standardError.append(line: "gateway: \(lines) line\(lines == 1 ? "" : "s") in \(path)\(more)")
        }
        if let problem = recording.problem { throw AdminOptions.failed(problem) }
        try AdminOptions.check(end, ofSession: session)
    }
}

/// The file of `gateway record`.
private final class Recording {
    private let path: String
    private var file: OutputFile?
    /// How many it has.
    private(set) var lines = 0
    /// How many frames the gateway has left out.
    private(set) var skipped = 0
    /// Why it cannot be written; one line for people.
    private(set) var problem: String?

    init(_ path: String) { self.path = path }

    var isOpen: Bool { self.file != nil }

    /// Makes the file. Returns whether that was possible.
    func open() -> Bool {
        do throws(SystemError) { self.file = try .creating(self.path) } catch {
            let cure = error.isFileThere ? ": choose another name" : ""
            self.problem = "cannot make \(self.path): \(error.reason)\(cure)"
        }
        return self.isOpen
    }

    /// Returns whether the file took the line.
    func append(_ line: [UInt8]) -> Bool {
        guard let failure = self.file?.append(line + [0x0A]).failure else {
            self.lines += 1
            if let line = try? TailLine(line) { self.skipped += line.skipped ?? 0 }
            return true
        }
        self.problem = "cannot write \(self.path): \(failure.reason)"
        return false
    }
}
