internal import CLinux
internal import System

/// Calls at fixed times, a number per second, however long the calls take: an open loop.
///
/// The loop's timers are exact to a millisecond, too coarse for thousands of calls per second, and spinning would take the processor from
/// the server under test. A timerfd is exact to some microseconds, costs one system call for all calls that are due, and lets us sleep. It
/// is never read: setting it again also clears its readiness.
final class Pace {
    private let client: Client
    private let rate: Double
    private let call: (MonotonicInstant) -> Void
    private let timer: Int32
    private var registration: EventLoop.Registration?
    private var start = MonotonicInstant(nanoseconds: 0)
    private var calls = 0
    private var isRunning = false

    /// - Parameters:
    ///   - rate: calls per second.
    ///   - call: gets the time at which it was due, which may be a while ago.
    init(rate: Double, client: Client, call: @escaping (MonotonicInstant) -> Void) {
        self.rate = rate
        self.client = client
        self.call = call
        self.timer = gateway_timer_create()
        guard self.timer >= 0 else { fail("there is no timer") }
    }

    /// Starts; the first call is due now.
    func begin() {
        self.start = .now()
        self.calls = 0
        self.isRunning = true
        do throws(SystemError) {
            self.registration = try self.client.loop.addReading(self.timer, self)
        } catch {
            fail("\(error)")
        }
        self.arm()
    }

    /// Stops after the calls that are due before `end`.
    func stop(at end: MonotonicInstant) {
        self.callAllDue(until: end)
        self.isRunning = false
        if let registration = self.registration { self.client.loop.remove(registration, self.timer) }
    }

    /// When the next call is due, counted from the start so that errors do not add up.
    private var due: MonotonicInstant {
        MonotonicInstant(nanoseconds: self.start.nanoseconds + Int64(Double(self.calls) * 1e9 / self.rate))
    }

    private func callAllDue(until now: MonotonicInstant) {
        while self.isRunning, self.due <= now {
            let due = self.due
            self.calls += 1
            self.call(due)
        }
    }

    /// A time in the past makes the timer readable at once; other handlers get their turn first.
    private func arm() {
        guard gateway_timer_set(self.timer, self.due.nanoseconds) == 0 else { fail("the timer cannot be set") }
    }
}

extension Pace: ReadinessHandler {
    func ready(_ readiness: Readiness) {
        self.callAllDue(until: .now())
        if self.isRunning { self.arm() }
    }
}
