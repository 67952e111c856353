internal import Sessions

/// A plain request that is answered, to be closed later. Its client may have another exchange by then, which is left alone.
final class PresentExchange: Closable {
    private let client: ClientConnection
    private let id: SessionID

    /// The one that `client` has now.
    init(of client: ClientConnection) {
        self.client = client
        self.id = client.id
    }

    func close(_ ending: Ending) {
        if self.client.id == self.id, self.client.isPassing { self.client.close(ending) }
    }
}
