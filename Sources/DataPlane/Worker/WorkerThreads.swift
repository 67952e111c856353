internal import Synchronization
public import System

/// Starts the workers. Each is made on its own thread, from values only, so that no other thread ever had its objects.
public enum WorkerThreads {
    private final class Start: Sendable {
        let results = Mutex<[Result<Void, StartError>]>([])
        let doorbell: Doorbell

        init() throws(SystemError) { self.doorbell = try Doorbell() }
    }

    /// Starts `count` workers and returns when all are ready to serve.
    ///
    /// - Throws: the first worker's reason why it could not be made.
    public static func start(_ count: Int, _ blueprint: WorkerBlueprint) throws -> [Thread.Handle] {
        let start = try Start()
        var threads: [Thread.Handle] = []
        for index in 0..<count {
            let thread = try Thread.start("gateway-\(index)") { self.run(index, blueprint, start) }
            threads.append(thread)
        }
        while start.results.withLock({ $0.count }) < count { start.doorbell.wait() }
        for result in start.results.withLock({ $0 }) { try result.get() }
        return threads
    }

    private static func run(_ index: Int, _ blueprint: WorkerBlueprint, _ start: Start) {
        let worker: Worker
        do {
            worker = try Worker(index, blueprint)
        } catch {
            start.results.withLock { $0.append(.failure(StartError("worker \(index): \(error)"))) }
            return start.doorbell.ring()
        }
        start.results.withLock { $0.append(.success(())) }
        start.doorbell.ring()
        worker.run()
    }
}
