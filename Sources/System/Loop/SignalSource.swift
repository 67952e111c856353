internal import CLinux
internal import Glibc

/// Signals as events of a loop (signalfd).
public enum SignalSource {
    // The numbers of signal(7).
    /// SIGTERM.
    public static let terminate = SIGTERM
    /// SIGINT, as Ctrl-C sends it.
    public static let interrupt = SIGINT
    /// SIGHUP.
    public static let hangUp = SIGHUP
    /// SIGUSR1.
    public static let user1 = SIGUSR1
    /// SIGUSR2.
    public static let user2 = SIGUSR2
    /// SIGWINCH: the terminal's window has another size.
    public static let windowChanged = SIGWINCH
    /// SIGCHLD: a process that we started has ended.
    public static let child = SIGCHLD

    /// Blocks `signals` in this thread and all threads that it starts, so that they are not delivered the usual way. Ignores
    /// SIGPIPE and SIGXFSZ: writing to a closed peer or a file at its limit returns an error anyway. Call it before the first
    /// thread is started.
    public static func block(_ signals: [Int32]) {
        // `sigemptyset` initialises the set before it is read.
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        Glibc.signal(SIGPIPE, SIG_IGN)
        Glibc.signal(SIGXFSZ, SIG_IGN)
    }

    /// Ignores a signal, also in programs that this one starts. If it is blocked, it can still be received.
    public static func ignore(_ signal: Int32) { Glibc.signal(signal, SIG_IGN) }

    /// Calls `receive` on the loop's thread for each of `signals`, which must be blocked.
    public static func open(
        _ signals: [Int32], on loop: EventLoop, _ receive: @escaping (Int32) -> Void
    ) throws(SystemError) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        let descriptor = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK) | Int32(SFD_CLOEXEC))
        guard descriptor >= 0 else { throw .last("signalfd") }
        _ = try loop.addReading(descriptor, SignalReader(descriptor, receive))
    }
}

private final class SignalReader: ReadinessHandler {
    private let descriptor: Int32
    private let receive: (Int32) -> Void

    init(_ descriptor: Int32, _ receive: @escaping (Int32) -> Void) {
        self.descriptor = descriptor
        self.receive = receive
    }

    func ready(_ readiness: Readiness) {
        let size = MemoryLayout<signalfd_siginfo>.size
        while true {
            var info = signalfd_siginfo()
            // The kernel writes whole records of this size.
            guard unsafe read(self.descriptor, &info, size) == size else { return }
            self.receive(Int32(info.ssi_signo))
        }
    }
}
