import COpenSSL

/// One TLS connection, as server or client, without a socket: ciphertext comes in as arguments and goes out by
/// `TLSIO.output`.
///
/// Every call may fill `TLSIO.output`, also one that fails (an alert): send it afterwards in any case. The ciphertext
/// given to a call is used up or kept; none of it has to be given again.
@safe package final class TLSConnection {
    /// Where a handshake stands.
    package enum HandshakeResult: Hashable, Sendable {
        /// Complete. Application data may have come behind it: call `decrypt` with an empty span.
        case done
        /// The peer has to send more first.
        case wantsRead
        /// Over. `TLSIO.output` may have an alert for the peer.
        case failed(TLSError)
    }

    /// What a `decrypt` brought.
    package struct DecryptResult: Hashable, Sendable {
        /// Whether more can come.
        package enum State: Hashable, Sendable {
            /// More can come.
            case open
            /// The peer sent close_notify: these were its last bytes.
            case closed
            /// Over. `TLSIO.output` may have an alert for the peer.
            case failed(TLSError)
        }

        /// Bytes of plaintext written.
        package let count: Int
        /// Whether more can come.
        package let state: State
        /// There is more than was fair to decrypt, or than the plaintext had room for: call again with an empty span, before giving new
        /// ciphertext.
        package let hasMore: Bool
        /// How many records were worked through that gave no data, or not yet: the last of them may only have begun.
        package var idleRecords = 0
    }

    /// What the connection was made by; keeps it alive.
    enum Role {
        case server(TLSServerContext)
        /// With the name under which the session is remembered.
        case client(TLSClientContext, name: String)
    }

    /// handshaking → open → closed; failed from any but closed.
    private enum Phase {
        case handshaking
        case open
        case closed
        case failed(TLSError)
    }

    let role: Role

    /// Sound: made in `init`, freed in `deinit`, used between only, by the one thread that has the connection.
    let ssl: OpaquePointer

    private static let tooManyIdleRecords = TLSError(
        .protocolViolation, "more than \(TLSConnection.mostIdleRecords) TLS records without data in a row")
    private static let handshakeMissing = TLSError(.configuration, "the TLS handshake is not complete")

    /// So many records without data are worked through in one `decrypt`, and as many more as libssl has in its hands by then. One costs
    /// up to 20 µs (a KeyUpdate, whose 27 bytes make two keys anew), so that a call takes no longer than a few messages do.
    static let idleRecordsPerCall = 16
    /// So many records without data in a row, and the connection is over. Nothing needs a row of them: a peer updates keys once in
    /// millions of records and a server gives a few tickets. BoringSSL and rustls draw the line at 32, too, Go at 16.
    static let mostIdleRecords = 32

    /// How many steps of the handshake were made, up to 255.
    package private(set) var handshakeSteps: UInt8 = 0

    private let io: TLSIO
    private var phase = Phase.handshaking

    /// Ciphertext that came while libssl could not take it: it follows the handshake, or the plaintext was full.
    private var held: [UInt8] = []

    /// The records that came so far.
    private var records = RecordCounter()
    /// How many had come when there last was data.
    private var recordsAtData: UInt32 = 0

    /// A server's last word in a TLS 1.3 handshake, which is a ticket for the next connection: the client waits for none, and a packet
    /// of its own would wake it up for nothing. It goes out in front of whatever is sent next.
    private var ticket: [UInt8] = []

    /// A connection before its handshake.
    ///
    /// - Parameter context: an `SSL_CTX` that lives at least as long as this call.
    init(_ context: OpaquePointer, role: Role, io: TLSIO) throws(TLSError) {
        ErrorQueue.clear()
        guard let ssl = unsafe SSL_new(context) else { throw .configuration("no TLS connection") }
        guard let bio = unsafe io.makeBIO() else {
            unsafe SSL_free(ssl)
            throw .configuration("no TLS connection")
        }
        // Sound: the connection has the BIO from here, one reference for both directions; `self` keeps `io` alive.
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe self.ssl = ssl
        self.role = role
        self.io = io
        // Sound: read by `of` only, inside libssl's calls for this connection, which `self` outlives.
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        switch role {
        case .server: unsafe SSL_set_accept_state(ssl)
        case .client: unsafe SSL_set_connect_state(ssl)
        }
    }

    deinit {
        if case .failed = self.phase {
        } else {
            // libssl makes the session of an unclosed connection unfit for resumption, as TLS 1.0 wanted it.
            unsafe SSL_set_shutdown(self.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        }
        // Sound: nobody has the pointer any more; the BIO goes with it, while `io` is still alive.
        unsafe SSL_free(self.ssl)
    }

    /// The connection that libssl calls back for. Sound: see `init`.
    static func of(_ ssl: OpaquePointer?) -> TLSConnection {
        unsafe Unmanaged<TLSConnection>.fromOpaque(SSL_get_ex_data(ssl, 0)!).takeUnretainedValue()
    }

    /// Goes on with the TLS handshake. A client starts it with an empty span.
    package func handshake(_ ciphertext: Span<UInt8>) -> HandshakeResult {
        switch self.phase {
        case .handshaking: break
        case .open, .closed: return .done
        case .failed(let error): return .failed(error)
        }
        if self.handshakeSteps < .max { self.handshakeSteps += 1 }
        let result = self.withInput(ciphertext) { () -> HandshakeResult in
            let code = unsafe SSL_do_handshake(self.ssl)
            if code == 1 { return .done }
            switch self.failure(code) {
            case nil: return .wantsRead
            case .closed: return .failed(self.fail(TLSError(.alert, "the peer closed in the TLS handshake")))
            case .failed(let error): return .failed(error)
            }
        }
        guard result == .done else { return result }
        self.phase = .open
        // Without it libssl comes back when it has worked through what it got, data or not. In a handshake there is none to wait for.
        unsafe shim_SSL_clear_mode(self.ssl, Int(SSL_MODE_AUTO_RETRY))
        self.recordsAtData = self.records.count
        switch self.role {
        case .server: if unsafe SSL_version(self.ssl) == TLS1_3_VERSION { self.ticket = self.io.takeOutput() }
        case .client(let context, let name): context.rememberSession(of: self, name: name)
        }
        return .done
    }

    /// Decrypts what came in until there is no more, `plaintext` is full, or too much of it was no data.
    ///
    /// libssl's answers to TLS's own messages may be in `TLSIO.output` afterwards.
    package func decrypt(_ ciphertext: Span<UInt8>, into plaintext: inout MutableSpan<UInt8>) -> DecryptResult {
        switch self.phase {
        case .open: break
        case .handshaking: return DecryptResult(count: 0, state: .failed(Self.handshakeMissing), hasMore: false)
        case .closed: return DecryptResult(count: 0, state: .closed, hasMore: false)
        case .failed(let error): return DecryptResult(count: 0, state: .failed(error), hasMore: false)
        }
        // Sound: libssl writes to the buffer inside this closure only, and no more than its count.
        return unsafe plaintext.withUnsafeMutableBufferPointer { buffer in
            let room = unsafe buffer
            var count = 0
            var isFair = true
            var idle = 0
            let state = self.withInput(ciphertext) { () -> DecryptResult.State in
                // How many records gave data, or a part of theirs.
                var reads = 0
                let before = self.io.records.count
                defer { idle = max(0, self.io.records.begun(since: before) - reads) }
                while isFair, unsafe count < room.count && (self.io.unread > 0 || SSL_has_pending(self.ssl) == 1) {
                    var number = 0
                    let code = unsafe SSL_read_ex(self.ssl, room.baseAddress! + count, room.count - count, &number)
                    count += number
                    if code == 1 {
                        reads += 1
                        self.recordsAtData = self.io.records.count
                        isFair = self.io.records.begun(since: before) - reads < Self.idleRecordsPerCall
                        continue
                    }
                    switch self.failure(code) {
                    case nil:
                        // Of what libssl has, nothing is whole or nothing was data.
                        guard self.io.records.begun(since: self.recordsAtData) <= Self.mostIdleRecords else {
                            return .failed(self.fail(Self.tooManyIdleRecords))
                        }
                        guard self.io.unread > 0 else { return .open }
                        isFair = self.io.records.begun(since: before) - reads < Self.idleRecordsPerCall
                    case .closed:
                        self.phase = .closed
                        return .closed
                    case .failed(let error):
                        return .failed(error)
                    }
                }
                return .open
            }
            let isCut = !isFair || count == room.count
            let hasMore = unsafe isCut && state == .open && (!self.held.isEmpty || SSL_has_pending(self.ssl) == 1)
            return DecryptResult(count: count, state: state, hasMore: hasMore, idleRecords: idle)
        }
    }

    /// Encrypts all of `plaintext`; the records are appended to `TLSIO.output`.
    ///
    /// - Returns: why the connection is over; nil if it is not.
    package func encrypt(_ plaintext: Span<UInt8>) -> TLSError? {
        guard !plaintext.isEmpty else { return nil }
        switch self.phase {
        case .handshaking: return Self.handshakeMissing
        case .failed(let error): return error
        case .open, .closed: break
        }
        ErrorQueue.clear()
        defer { self.addTicket() }
        var written = 0
        // Sound: libssl reads the buffer during the call only.
        let code = unsafe plaintext.withUnsafeBufferPointer { buffer in
            unsafe SSL_write_ex(self.ssl, buffer.baseAddress!, buffer.count, &written)
        }
        guard code != 1 else { return nil }
        switch self.failure(code) {
        case .failed(let error): return error
        case .closed: return self.fail(TLSError(.protocolViolation, "the TLS connection is closed"))
        // libssl writes no data while one of the peer's handshake messages is only half there, which honest peers
        // never make it wait for: such a message fits in one record.
        case nil: return self.fail(TLSError(.protocolViolation, "the peer left a TLS message unfinished"))
        }
    }

    /// Says that we send no more (RFC 8446 section 6.1): a close_notify for `TLSIO.output`, once.
    package func closeNotify() {
        switch self.phase {
        case .handshaking, .failed: return
        case .open, .closed: break
        }
        if unsafe SSL_shutdown(self.ssl) < 0 { ErrorQueue.clear() }
        self.addTicket()
    }

    /// The socket has no more bytes.
    ///
    /// - Returns: nil after the peer's close_notify, else an error of the kind `.truncation`, or the earlier failure.
    package func endOfInput() -> TLSError? {
        switch self.phase {
        case .closed: return nil
        case .failed(let error): return error
        case .handshaking: return TLSError(.truncation, "the connection ended in the TLS handshake")
        case .open: return TLSError(.truncation, "the connection ended without close_notify")
        }
    }

    /// Gives back libssl's record buffers (some 33 KB) of a connection that rests; the next call makes them anew.
    ///
    /// Nothing happens while one is in use, so this may be called at any time.
    package func releaseBuffers() {
        if unsafe SSL_free_buffers(self.ssl) != 1 { ErrorQueue.clear() }
    }

    /// Calls libssl with what was held and what was just received as its input, and holds what it leaves of them.
    private func withInput<Result>(_ ciphertext: Span<UInt8>, _ body: () -> Result) -> Result {
        ErrorQueue.clear()
        let result: Result
        if self.held.isEmpty {
            (result, self.held) = self.io.withInput(ciphertext, records: &self.records, body)
        } else {
            var all: [UInt8] = []
            swap(&all, &self.held)
            // Sound: the buffer is copied from inside the closure only.
            unsafe ciphertext.withUnsafeBufferPointer { unsafe all.append(contentsOf: $0) }
            (result, self.held) = self.io.withInput(all.span, records: &self.records, body)
        }
        switch self.phase {
        case .handshaking, .open: break
        case .closed, .failed: self.held = []
        }
        self.addTicket()
        return result
    }

    /// Puts the ticket in front of what libssl wants sent now: records have to leave in the order in which they were made.
    private func addTicket() {
        guard !self.ticket.isEmpty, !self.io.output.isEmpty else { return }
        self.io.prepend(self.ticket)
        self.ticket = []
    }

    private enum Failure {
        case closed
        case failed(TLSError)
    }

    /// What libssl's return code means: nil when it only waits for more input. The error queue is empty afterwards.
    private func failure(_ code: Int32) -> Failure? {
        switch unsafe SSL_get_error(self.ssl, code) {
        case SSL_ERROR_WANT_READ:
            ErrorQueue.clear()
            return nil
        case SSL_ERROR_ZERO_RETURN:
            ErrorQueue.clear()
            return .closed
        default:
            return .failed(self.fail(.connection(verification: unsafe SSL_get_verify_result(self.ssl))))
        }
    }

    private func fail(_ error: TLSError) -> TLSError {
        self.phase = .failed(error)
        return error
    }
}
