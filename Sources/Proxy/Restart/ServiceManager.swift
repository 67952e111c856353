internal import Configuration
package import Observability
package import System

/// The service manager (systemd) that started this process, and what it is told (sd_notify(3)), on the control thread.
///
/// Without `NOTIFY_SOCKET` there is none, and nothing is said. It is told, not asked: nothing waits for it, and that it does not
/// take a message is no error of ours.
package final class ServiceManager {
    private let sender: DatagramSender?
    private let log: Log
    private let watchdog: Duration?
    private var timer: ControlTimer?

    /// - Parameters:
    ///   - isSuccessor: this process took over from the one that the service manager started: what it was told of its watchdog is
    ///     meant for us, although `WATCHDOG_PID` is the predecessor's number.
    ///   - environment: gives the value of a variable.
    package init(
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

    /// Whether there is one.
    package var isPresent: Bool { self.sender != nil }

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

    /// The gateway serves; after `reloading`, again.
    package func ready(_ status: String) { self.tell(["READY=1", Self.status(status)]) }

    /// What `systemctl status` shows.
    package func status(_ status: String) { self.tell([Self.status(status)]) }

    /// A reload begins. `ready` is to follow, whatever came of it.
    package func reloading() {
        // The time lets it tell this reload's end from an earlier one's.
        let time = MonotonicInstant.now().nanoseconds / 1000
        self.tell(["RELOADING=1", "MONOTONIC_USEC=\(time)", Self.status("reloading")])
    }

    package func stopping(_ status: String) { self.tell(["STOPPING=1", Self.status(status)]) }

    /// Another process is the service from now on. To be told by the one that was: it alone is believed (`NotifyAccess=main`).
    package func mainProcess(_ number: Int32) {
        guard number > 0 else { return }
        self.tell(["MAINPID=\(number)"])
    }

    /// Each message is one line, so a line break would begin another message.
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

    /// How often it wants to hear of us: half of the time after which it kills us. `nil`: it does not ask.
    package var watchdogInterval: Duration? { self.watchdog.map { $0 / 2 } }

    /// Tells it, as often as it asks for, that the gateway lives, from now on.
    ///
    /// - Parameter isAlive: whether it does, beyond that the loop turns.
    package func watch(on loop: EventLoop, while isAlive: @escaping () -> Bool = { true }) {
        guard self.isPresent, let interval = self.watchdogInterval else { return }
        self.tell(["WATCHDOG=1"])
        self.timer = ControlTimer(loop, every: interval) { [unowned self] in
            if isAlive() { self.tell(["WATCHDOG=1"]) }
        }
    }

    /// Leaves the watchdog to the process that is the service now.
    package func stopWatching() {
        self.timer?.cancel()
        self.timer = nil
    }
}
