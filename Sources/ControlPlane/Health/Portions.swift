internal import System

/// Goes through many things on the control thread, so many in a turn of its loop: what else it has to do comes in between.
final class Portions {
    /// How many a turn has at most, of what takes about a microsecond each.
    static let most = 2000

    private let loop: EventLoop
    private let step: () -> Int?
    private let then: () -> Void
    private var timer: ControlTimer?

    /// Begins at once; what fits into one portion is done when this returns.
    ///
    /// - Parameters:
    ///   - step: does the next thing, and says how many it was; `nil`: there is none any more.
    ///   - then: called after the last one.
    static func go(on loop: EventLoop, step: @escaping () -> Int?, then: @escaping () -> Void) {
        Portions(loop, step, then).goOn()
    }

    private init(_ loop: EventLoop, _ step: @escaping () -> Int?, _ then: @escaping () -> Void) {
        self.loop = loop
        self.step = step
        self.then = then
    }

    private func goOn() {
        var count = 0
        while count < Self.most {
            guard let done = self.step() else {
                self.timer = nil
                return self.then()
            }
            count += done
        }
        // The timer keeps this object until it fires.
        self.timer = ControlTimer(self.loop, once: .zero) { self.goOn() }
    }
}
