internal import Glibc

/// The terminal of a command that draws on the whole of it.
public final class Terminal {
    /// Rows and columns.
    public struct Size: Equatable, Sendable {
        /// The lines of text that fit.
        public var rows: Int
        /// The characters that fit in a line.
        public var columns: Int
    }

    private let output = OutputFile.standardOutput
    /// What standard input was set to; `nil` if it is no terminal.
    private let before: termios?

    /// Whether standard output is a terminal.
    public static var isThere: Bool { isatty(1) == 1 }

    /// Takes the terminal: another screen, without a cursor, and keys come at once and are not shown. `leave` gives it back.
    public init() {
        var settings = termios()
        // The kernel writes this one record, if standard input is a terminal.
        self.before = unsafe tcgetattr(0, &settings) == 0 ? settings : nil
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
        // Ctrl-Z would leave the other screen to the shell.
        Self.disableSuspending(&settings)
        // The kernel reads this one record.
        if self.before != nil { unsafe tcsetattr(0, TCSANOW, &settings) }
        self.write("\u{1B}[?1049h\u{1B}[?25l")
    }

    private static func disableSuspending(_ settings: inout termios) {
        // In bounds: VSUSP is one of the NCCS places of the array, which is imported as a tuple.
        unsafe withUnsafeMutableBytes(of: &settings.c_cc) { unsafe $0[Int(VSUSP)] = 0 }
    }

    /// Gives the terminal back as it was.
    public func leave() {
        self.write("\u{1B}[?25h\u{1B}[?1049l")
        guard var settings = self.before else { return }
        // The kernel reads this one record.
        unsafe tcsetattr(0, TCSANOW, &settings)
    }

    /// Calls `receive` for each key that is pressed.
    public func keys(on loop: EventLoop, _ receive: @escaping (UInt8) -> Void) throws(SystemError) {
        guard self.before != nil else { return }
        _ = try loop.addReading(0, KeyReader(receive))
    }

    /// The size now; 24 rows of 80 columns if that is unknown.
    public var size: Size {
        var size = winsize()
        // The kernel writes this one record.
        guard unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else {
            return Size(rows: 24, columns: 80)
        }
        return Size(rows: Int(size.ws_row), columns: Int(size.ws_col))
    }

    /// Shows these lines in place of what is there. They have to fit.
    public func show(_ lines: [String]) {
        // Line by line over the old ones, so that nothing flickers: each clears what was right of it, the last what was below.
        let text = lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        self.write("\u{1B}[H" + text + "\u{1B}[J")
    }

    private func write(_ text: String) { _ = self.output.append(Array(text.utf8)) }
}

private final class KeyReader: ReadinessHandler {
    private let receive: (UInt8) -> Void

    init(_ receive: @escaping (UInt8) -> Void) { self.receive = receive }

    func ready(_ readiness: Readiness) {
        var key: UInt8 = 0
        // The kernel writes one byte. There is one: otherwise the loop would not have called.
        guard unsafe read(0, &key, 1) == 1 else { return }
        self.receive(key)
    }
}
