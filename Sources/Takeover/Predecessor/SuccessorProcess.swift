public import System

/// The process that this one started as its successor, on the control thread: one at a time, and always reaped.
public final class SuccessorProcess {
    public enum Event: Equatable {
        case started(Int32)
        case failed(SystemError)
        case ended(Int32, OwnProcess.End)
    }

    public enum State: Equatable {
        case none
        /// The system has not read the program yet; a file system may take its time.
        case starting
        case running(Int32)
    }

    public private(set) var state = State.none
    private let calls: BlockingCalls
    private var happened: (Event) -> Void = { _ in }

    public init(on loop: EventLoop) throws(SystemError) { self.calls = try BlockingCalls(on: loop) }

    /// Starts the plan's program. To be called in state `none`.
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
            // It may have ended before we knew its number.
            self.look()
        case .failure(let error):
            self.state = .none
            self.happened(.failed(error))
        }
    }

    /// To be called on SIGCHLD.
    public func look() {
        guard case .running(let process) = self.state, let end = OwnProcess.reap(process) else { return }
        self.state = .none
        self.happened(.ended(process, end))
    }
}
