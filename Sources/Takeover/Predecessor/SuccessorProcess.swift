public import System

/// The process that this one started as its successor, on the control thread. There is one at a time, and it is always reaped.
public final class SuccessorProcess {
    /// What happened to the process; the number is its process id.
    public enum Event: Equatable {
        case started(Int32)
        case failed(SystemError)
        case ended(Int32, OwnProcess.End)
    }

    /// Whether there is a process; the number is its process id.
    public enum State: Equatable {
        case none
        /// The system is reading the program, which can take a while on a slow file system.
        case starting
        case running(Int32)
    }

    /// Whether there is a successor now.
    public private(set) var state = State.none
    private let calls: BlockingCalls
    private var happened: (Event) -> Void = { _ in }

    /// - Throws: if the system has no descriptors for what the loop must watch.
    public init(on loop: EventLoop) throws(SystemError) { self.calls = try BlockingCalls(on: loop) }

    /// Starts the program of `plan`. Call it in state `none` only.
    ///
    /// - Parameter happened: called on the control thread for each event.
    public func start(_ plan: RestartPlan, happened: @escaping (Event) -> Void) {
        self.happened = happened
        self.state = .starting
        do throws(SystemError) {
            try self.calls.make {
                Result { () throws(SystemError) in
                    try OwnProcess.start(plan.program, plan.arguments, input: plan.input)
                }
            } then: { [unowned self] in
                self.started($0)
            }
        } catch {
            self.started(.failure(error))
        }
    }

    private func started(_ result: Result<Int32, SystemError>) {
        switch result {
        case .success(let process):
            self.state = .running(process)
            self.happened(.started(process))
            // It may have ended before its process id was known here.
            self.look()
        case .failure(let error):
            self.state = .none
            self.happened(.failed(error))
        }
    }

    /// Looks whether the process has ended. Call it on SIGCHLD.
    public func look() {
        guard case .running(let process) = self.state, let end = OwnProcess.reap(process) else { return }
        self.state = .none
        self.happened(.ended(process, end))
    }
}
