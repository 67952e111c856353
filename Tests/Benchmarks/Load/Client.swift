internal import System
internal import TLS

/// What all connections share: the loop, the buffers they are read into, and the TLS contexts.
final class Client {
    let loop: EventLoop
    /// What comes from sockets with TLS.
    let ciphertext = ReadBuffer(count: Client.readSize)
    /// What frames are read from. Before what was just received there is room for the beginning of a frame.
    let plaintext = ReadBuffer(count: Client.headroom + Client.readSize)
    let tlsIO = TLSIO()
    var random = SplitMix(seed: 1)

    /// Counts what went well; a run in which nothing does any more is ended.
    var progress = 0

    static let readSize = 64 << 10
    /// A control frame that is not all there, at most.
    static let headroom = 256
    /// How long nothing may happen.
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

    /// - Parameter resume: sessions are remembered, and the next connection resumes the newest one.
    func tlsContext(resume: Bool = false) -> TLSClientContext {
        do throws(TLSError) {
            let settings = TLSClientSettings(verify: false, offersHTTP: true, resume: resume)
            return try TLSClientContext(settings, io: self.tlsIO)
        } catch {
            fail("\(error)")
        }
    }

    /// From now on something has to happen.
    func watchProgress() {
        self.seenProgress = self.progress
        self.loop.setTimer(&self.watch, at: .now() + Self.patience, self)
    }

    /// From now on it is fine if nothing happens.
    func stopWatching() { self.loop.cancelTimer(&self.watch) }
}

extension Client: TimerHandler {
    func timerFired() {
        guard self.progress != self.seenProgress else { fail("nothing came for \(Self.patience)") }
        self.watchProgress()
    }
}
