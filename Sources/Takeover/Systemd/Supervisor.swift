internal import Configuration
public import Observability
public import System

/// Tells the service manager (systemd) that started this process what happens (sd_notify(3)). On the control thread.
///
/// Without `NOTIFY_SOCKET` there is no service manager, and nothing is sent. Sending never blocks, and a message that the service manager
/// does not accept is not an error.
public final class Supervisor {
    private let sender: DatagramSender?
    private let log: Log
    private let watchdog: Duration?
    private var timer: ControlTimer?

    /// - Parameters:
    /// - isSuccessor: whether this process took over from the service's process. The watchdog of the service then applies to this
    ///   process, although `WATCHDOG_PID` is the old one.
    /// - environment: returns the value of a variable.
    public init(
        log: Log, isSuccessor: Bool = false, process: Int32 = OwnProcess.number,
        environment: (String) -> String? = OwnProcess.environment
    ) {
        self.log = log
        guard let address = environment("NOTIFY_SOCKET").flatMap(Self.address) else {
            self.sender = nil
            self.watchdog = nil
            return
        }
        do throws(SystemError) {
            self.sender = try DatagramSender(to: address)
        } catch {
            self.sender = nil
            log.write(.debug, "notify-failed", reason: "\(error)")
        }
        self.watchdog = Self.watchdog(environment, process: isSuccessor ? nil : process)
    }

    /// Whether there is a service manager.
    public var isPresent: Bool { self.sender != nil }

    private static func address(_ text: String) -> SocketAddress? {
        switch text.first {
        case "/": .unix(path: text)
        case "@": .abstract(name: String(text.dropFirst()))
        default: nil  // vsock, for machines that are not this one
        }
    }

    private static func watchdog(_ environment: (String) -> String?, process: Int32?) -> Duration? {
        guard let text = environment("WATCHDOG_USEC"), let microseconds = Int64(text), microseconds > 0 else {
            return nil
        }
        if let process, let other = environment("WATCHDOG_PID"), Int32(other) != process { return nil }
        return .microseconds(microseconds)
    }

    // MARK: - What it is told

    /// The gateway serves, or serves again after `reloading`. The text is for `systemctl status`.
    public func ready(_ status: String) { self.tell(["READY=1", Self.status(status)]) }

    /// A reload begins. Call `ready` when it is over, even if it was refused.
    public func reloading() {
        // The time distinguishes this reload from an earlier one.
        let time = MonotonicInstant.now().nanoseconds / 1000
        self.tell(["RELOADING=1", "MONOTONIC_USEC=\(time)", Self.status("reloading")])
    }

    /// The gateway is about to end. The text is for `systemctl status`.
    public func stopping(_ status: String) { self.tell(["STOPPING=1", Self.status(status)]) }

    /// Another process is the service from now on. systemd believes only the process that is the service (`NotifyAccess=main`), so that
    /// one must say it.
    public func mainProcess(_ number: Int32) {
        guard number > 0 else { return }
        self.tell(["MAINPID=\(number)"])
    }

    /// A message is one line, so line breaks in the text are replaced.
    private static func status(_ text: String) -> String {
        "STATUS=" + String(text.map { $0.isNewline ? " " : $0 })
    }

    private func tell(_ lines: [String]) {
        guard let sender = self.sender else { return }
        do throws(SystemError) {
            try sender.send(Array(lines.joined(separator: "\n").utf8))
        } catch {
            self.log.write(.debug, "notify-failed", reason: "\(error)")
        }
    }

    // MARK: - The watchdog

    /// How often to tell the service manager that the gateway lives: twice in the time after which it kills the service. `nil` if it has
    /// no watchdog.
    public var watchdogInterval: Duration? { self.watchdog.map { $0 / 2 } }

    /// Tells the service manager from now on that the loop turns, as often as `watchdogInterval` says.
    public func watch(on loop: EventLoop) {
        guard self.isPresent, let interval = self.watchdogInterval else { return }
        self.tell(["WATCHDOG=1"])
        self.timer = ControlTimer(loop, every: interval) { [unowned self] in
            self.tell(["WATCHDOG=1"])
        }
    }

    /// Leaves the watchdog to the process that is the service now.
    public func stopWatching() {
        self.timer?.cancel()
        self.timer = nil
    }
}
