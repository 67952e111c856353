import Glibc
import Synchronization
import Testing

@testable import System

@Suite struct SignalSourceTests {
    /// On a thread of its own, because each thread has its own blocked signals.
    @Test func `blocked signals become events`() throws {
        let heard = Mutex<[Int32]>([])
        let thread = try Thread.start("signals") {
            SignalSource.block([SIGUSR1, SIGUSR2])
            guard let loop = try? EventLoop() else { return }
            try? SignalSource.open([SIGUSR1, SIGUSR2], on: loop) { signal in heard.withLock { $0.append(signal) } }
            pthread_kill(pthread_self(), SIGUSR2)
            pthread_kill(pthread_self(), SIGUSR1)
            loop.turn(waitingAtMost: .seconds(20))
            loop.turn(waitingAtMost: .zero)
        }
        thread.join()
        #expect(heard.withLock { $0.sorted() } == [SIGUSR1, SIGUSR2].sorted())
    }

    @Test func `sending to a closed peer raises no signal`() throws {
        SignalSource.block([])
        let pair = SocketPair()
        Kernel.close(pair.far)
        // Without MSG_NOSIGNAL this would end the process.
        #expect(unsafe Glibc.send(pair.near, "x", 1, 0) == -1)
        #expect(errno == EPIPE)
        Kernel.close(pair.near)
    }
}
