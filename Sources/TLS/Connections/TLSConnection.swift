import COpenSSL

/// One TLS connection, as server or client, without a socket. Ciphertext comes in as arguments and goes out by
/// `TLSIO.output`.
///
/// Every call may fill `TLSIO.output`, even one that fails (with an alert): always send it afterwards. A call consumes or
/// keeps the ciphertext it is given. Do not give it again.
@safe public final class TLSConnection {
    /// The state of a handshake.
    public enum HandshakeResult: Hashable, Sendable {
        /// It is complete. Application data may have followed it: call `decrypt` with an empty span.
        case done
        /// The peer has to send more first.
        case wantsRead
        /// It has failed. `TLSIO.output` may have an alert for the peer.
        case failed(TLSError)
    }

    /// The result of `decrypt`.
    public struct DecryptResult: Hashable, Sendable {
        /// Whether more can come.
        public enum State: Hashable, Sendable {
            /// More can come.
            case open
            /// The peer sent close_notify. No more data comes.
            case closed
            /// The connection has failed. `TLSIO.output` may have an alert for the peer.
            case failed(TLSError)
        }

        /// How many bytes of plaintext were written.
        public let count: Int
        /// Whether more can come.
        public let state: State
        /// There is more than one call may decrypt, or than the plaintext had room for. Call again with an empty span before
        /// giving new ciphertext.
        public let hasMore: Bool
        /// How many records gave no data. The last one may be incomplete.
        public var idleRecords = 0
    }

    /// Which side we are, with the context that made the connection, which is kept alive.
    enum Role {
        case server(TLSServerContext)
        /// The session is remembered by `name`.
        case client(TLSClientContext, name: String)
    }

    /// handshaking → open → closed. From any but closed it can go to failed.
    private enum Phase {
        case handshaking
        case open
        case closed
        case failed(TLSError)
    }

    let role: Role

    /// Sound: made in `init`, freed in `deinit`, and used only between, by the one thread that has the connection.
    let ssl: OpaquePointer

    private static let tooManyIdleRecords = TLSError(
        .protocolViolation, "more than \(TLSConnection.mostIdleRecords) TLS records without data in a row")
    private static let handshakeMissing = TLSError(.configuration, "the TLS handshake is not complete")

    /// One `decrypt` works through so many records without data, and those that libssl has been given by then. A record
    /// costs up to 20 µs (a KeyUpdate of 27 bytes makes two new keys), so a call takes no longer than a few messages.
    static let idleRecordsPerCall = 16
    /// More records without data in a row end the connection. An honest peer updates keys once in millions of records, and a
    /// server sends a few tickets. The limit is 32 in BoringSSL and rustls, too, and 16 in Go.
    static let mostIdleRecords = 32

    /// The number of steps in the handshake so far, up to 255.
    public private(set) var handshakeSteps: UInt8 = 0

    private let io: TLSIO
    private var phase = Phase.handshaking

    /// Ciphertext that libssl could not take yet: it followed the handshake, or the plaintext was full.
    private var held: [UInt8] = []

    /// The records received so far.
    private var records = RecordCounter()
    /// The number of records when there last was data.
    private var recordsAtData: UInt32 = 0

    /// The ticket for the next connection, which ends a server's TLS 1.3 handshake. The client does not wait for it, and a
    /// packet of its own would wake it for nothing. It goes out in front of the next bytes.
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
        // Sound: the connection owns the BIO from here, by one reference for both directions. `self` keeps `io` alive.
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe self.ssl = ssl
        self.role = role
        self.io = io
        // Sound: only `of` reads it, inside libssl's calls for this connection, which `self` outlives.
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        switch role {
        case .server: unsafe SSL_set_accept_state(ssl)
        case .client: unsafe SSL_set_connect_state(ssl)
        }
    }

    deinit {
        if case .failed = self.phase {
        } else {
            // libssl would make the session of an unclosed connection unfit for resumption, as TLS 1.0 required.
            unsafe SSL_set_shutdown(self.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        }
        // Sound: the pointer is not used any more. The BIO is freed with it, while `io` is still alive.
        unsafe SSL_free(self.ssl)
    }

    /// The connection that libssl calls back for.
    ///
    /// Sound: see `init`.
    static func of(_ ssl: OpaquePointer?) -> TLSConnection {
        unsafe Unmanaged<TLSConnection>.fromOpaque(SSL_get_ex_data(ssl, 0)!).takeUnretainedValue()
    }

    /// Continues the TLS handshake. A client starts it with an empty span.
    public func handshake(_ ciphertext: Span<UInt8>) -> HandshakeResult {
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
        // Without this mode libssl returns after each portion, even if it had no data. During the handshake there is no data.
        unsafe shim_SSL_clear_mode(self.ssl, Int(SSL_MODE_AUTO_RETRY))
        self.recordsAtData = self.records.count
        switch self.role {
        case .server: if unsafe SSL_version(self.ssl) == TLS1_3_VERSION { self.ticket = self.io.takeOutput() }
        case .client(let context, let name): context.rememberSession(of: self, name: name)
        }
        return .done
    }

    /// Decrypts until there is no more ciphertext, `plaintext` is full, or too many records had no data.
    ///
    /// `TLSIO.output` may have libssl's answers to TLS messages afterwards.
    public func decrypt(_ ciphertext: Span<UInt8>, into plaintext: inout MutableSpan<UInt8>) -> DecryptResult {
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
                // How many reads gave data.
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
                        // None of the records that libssl has is complete, or none of them had data.
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

    /// Encrypts all of `plaintext`, and appends the records to `TLSIO.output`.
    ///
    /// - Returns: the failure, if any.
    public func encrypt(_ plaintext: Span<UInt8>) -> TLSError? {
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
        // libssl writes no data while it waits for the rest of a handshake message. Honest peers never cause this: such a
        // message fits in one record.
        case nil: return self.fail(TLSError(.protocolViolation, "the peer left a TLS message unfinished"))
        }
    }

    /// Ends our side (RFC 8446 section 6.1). The first call appends a close_notify to `TLSIO.output`.
    public func closeNotify() {
        switch self.phase {
        case .handshaking, .failed: return
        case .open, .closed: break
        }
        if unsafe SSL_shutdown(self.ssl) < 0 { ErrorQueue.clear() }
        self.addTicket()
    }

    /// The protocol's version, "TLSv1.2" or "TLSv1.3", once the handshake is done.
    public var version: String {
        // Sound: a constant string of libssl's, copied.
        unsafe String(cString: SSL_get_version(self.ssl))
    }

    /// Whether a ticket saved the full handshake.
    public var wasResumed: Bool {
        unsafe SSL_session_reused(self.ssl) == 1
    }

    /// Frees libssl's record buffers of a quiet connection, some 33 KB. The next call makes new ones.
    ///
    /// It has no effect while one is in use, so it may be called at any time.
    public func releaseBuffers() {
        if unsafe SSL_free_buffers(self.ssl) != 1 { ErrorQueue.clear() }
    }

    /// Calls libssl with the held and the new ciphertext as its input, and holds what it leaves.
    private func withInput<Result>(_ ciphertext: Span<UInt8>, _ body: () -> Result) -> Result {
        ErrorQueue.clear()
        let result: Result
        if self.held.isEmpty {
            (result, self.held) = self.io.withInput(ciphertext, records: &self.records, body)
        } else {
            var all: [UInt8] = []
            swap(&all, &self.held)
            // Sound: the buffer is copied inside the closure.
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

    /// Puts the ticket in front of libssl's output: records must leave in the order in which they were made.
    private func addTicket() {
        guard !self.ticket.isEmpty, !self.io.output.isEmpty else { return }
        self.io.prepend(self.ticket)
        self.ticket = []
    }

    private enum Failure {
        case closed
        case failed(TLSError)
    }

    /// The meaning of libssl's return code; `nil` if it only waits for more input. The error queue is empty afterwards.
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
