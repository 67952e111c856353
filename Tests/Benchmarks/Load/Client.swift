internal import System
internal import TLS

/// What all connections share: the loop, the read buffers and the TLS contexts.
final class Client {
    let loop: EventLoop
    /// Ciphertext from sockets with TLS.
    let ciphertext = ReadBuffer(count: Client.readSize)
    /// Plain bytes that frames are read from. There is room before them for the beginning of a frame.
    let plaintext = ReadBuffer(count: Client.headroom + Client.readSize)
    let tlsIO = TLSIO()
    var random = SplitMix(seed: 1)

    /// Counts successes. A run without any for a while is ended.
    var progress = 0

    static let readSize = 64 << 10
    /// Room for an incomplete control frame.
    static let headroom = 256
    /// How long a run may go without progress.
    private static let patience = Duration.seconds(10)

    private var seenProgress = 0
    private var watch: EventLoop.TimerID?

    init() {
        OwnProcess.raiseDescriptorLimit()
        do throws(SystemError) {
            self.loop = try EventLoop()
        } catch {
            fail("\(error)")
        }
    }

    /// Runs until the process ends.
    func run() -> Never {
        self.watchProgress()
        self.loop.run()
        fail("the loop ended")
    }

    /// - Parameter resume: whether sessions are remembered, so that the next connection resumes the newest one.
    func tlsContext(resume: Bool = false) -> TLSClientContext {
        do throws(TLSError) {
            let settings = TLSClientSettings(verify: false, offersHTTP: true, resume: resume)
            return try TLSClientContext(settings, io: self.tlsIO)
        } catch {
            fail("\(error)")
        }
    }

    /// From now on there has to be progress.
    func watchProgress() {
        self.seenProgress = self.progress
        self.loop.setTimer(&self.watch, at: .now() + Self.patience, self)
    }

    /// From now on there need not be progress.
    func stopWatching() { self.loop.cancelTimer(&self.watch) }
}

extension Client: TimerHandler {
    func timerFired() {
        guard self.progress != self.seenProgress else { fail("nothing came for \(Self.patience)") }
        self.watchProgress()
    }
}
