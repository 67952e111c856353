internal import System
internal import TLS

/// The sessions of a run, opened a few at a time before anything is measured.
final class Sessions {
    /// More at once would overflow a server's backlog, or wait for each other in their TLS handshakes.
    private static let atOnce = 64

    private(set) var all: [Connection] = []
    private let url: LoadURL
    private let wanted: Int
    private let context: TLSClientContext?
    private unowned let client: Client
    private var opened = 0

    init(_ url: LoadURL, count: Int, client: Client) {
        self.url = url
        self.wanted = count
        self.client = client
        self.context = url.isSecure ? client.tlsContext() : nil
        self.all.reserveCapacity(count)
    }

    /// Begins to open sessions.
    ///
    /// - Parameter message: what the session with this index sends and expects.
    func open(for owner: any ConnectionOwner, message: (Int) -> Message?) {
        while self.all.count < min(self.wanted, self.opened + Self.atOnce) {
            let index = self.all.count
            do {
                let connection = try Connection(
                    self.url, index: index, message: message(index), context: self.context, client: self.client,
                    owner: owner)
                self.all.append(connection)
            } catch {
                fail("session \(index): \(error)")
            }
        }
    }

    /// One session is open: opens more. Returns whether it was the last one.
    func oneOpened(for owner: any ConnectionOwner, message: (Int) -> Message?) -> Bool {
        self.opened += 1
        self.open(for: owner, message: message)
        return self.opened == self.wanted
    }
}
