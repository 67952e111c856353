import System
import TestSupport

/// Is ready in each turn, before handlers with news, and uses most of the turn.
final class Crowd: ReadinessHandler {
    private let loop: EventLoop
    private let units: Int
    private let pair = socketPair()

    /// - Parameter units: the work that it does in each turn.
    init(_ loop: EventLoop, spending units: Int = WorkBudget.turn / 4 * 3) {
        self.loop = loop
        self.units = units
    }

    func begin() throws {
        Kernel.endWriting(self.pair.far)
        _ = try self.loop.addReading(self.pair.near, self)
    }

    func end() {
        Kernel.close(self.pair.near)
        Kernel.close(self.pair.far)
    }

    func ready(_ readiness: Readiness) { self.loop.budget.spend(self.units) }
}
