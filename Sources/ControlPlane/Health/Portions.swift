internal import System

/// Does a long series of steps on the control thread, a portion in each turn of the loop, so that other work comes in between.
final class Portions {
    /// The size of a portion. A unit takes about a microsecond.
    static let most = 2000

    private let loop: EventLoop
    private let step: () -> Int?
    private let then: () -> Void
    private var timer: ControlTimer?

    /// Begins at once. A series that fits one portion is over when this returns.
    ///
    /// - Parameters:
    /// - step: does the next step and returns its size in units; `nil`: there is none left.
    /// - then: called after the last step.
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
