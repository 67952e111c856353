import COpenSSL

/// TLS towards endpoints with the same settings, on one worker. It makes connections and remembers their sessions, so that the
/// next connection to the same name saves the full handshake.
public final class TLSClientContext {
    let io: TLSIO
    private let resume: Bool
    let context: ContextHandle
    /// The newest session of each server name. It is used only once (RFC 8446 appendix C.4).
    private var sessions: [String: Session] = [:]

    /// - Parameter io: that of the worker.
    /// - Throws: `TLSError` of the kind `.configuration`.
    public init(_ settings: TLSClientSettings, io: TLSIO) throws(TLSError) {
        self.io = io
        self.resume = settings.resume
        let context = try ContextHandle(.client, minimum: .v1_2, maximum: settings.maximum)
        if settings.verify {
            // The system's authorities are the only files that libssl reads itself, when it verifies a chain. They are on the
            // same disk as libssl, without which this program could not run.
            if let authorities = settings.authorities {
                try context.trust(authorities, announced: false)
            } else if unsafe SSL_CTX_set_default_verify_paths(context.pointer) != 1 {
                throw .configuration("the system's certificate authorities cannot be read")
            }
            unsafe SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, nil)
        }
        if let certificate = settings.certificate { try context.use(certificate) }
        if settings.offersHTTP {
            let offer: [UInt8] = [8] + Array("http/1.1".utf8)
            // Sound: the list is copied. This function returns 0 for success.
            guard unsafe SSL_CTX_set_alpn_protos(context.pointer, offer, UInt32(offer.count)) == 0 else {
                throw .configuration("no TLS context")
            }
        }
        self.context = context
        if settings.resume { context.rememberSessions() }
        ErrorQueue.clear()
    }

    /// Contexts for many backends. Equal settings share one, so that the authorities are loaded once.
    ///
    /// - Returns: one for each of `settings`; `nil` where these are `nil`.
    /// - Throws: `TLSError` of the kind `.configuration`.
    public static func shared(_ settings: [TLSClientSettings?], io: TLSIO) throws(TLSError) -> [TLSClientContext?] {
        var made: [TLSClientSettings: TLSClientContext] = [:]
        var contexts: [TLSClientContext?] = []
        for settings in settings {
            guard let settings else {
                contexts.append(nil)
                continue
            }
            let context = if let known = made[settings] { known } else { try TLSClientContext(settings, io: io) }
            made[settings] = context
            contexts.append(context)
        }
        return contexts
    }

    /// A connection to an endpoint, before its TLS handshake.
    ///
    /// - Parameter serverName: the host name, or IP address without brackets, that the endpoint's certificate must be for. A
    ///   host name is also sent (SNI). Without one only the certificate's authority is checked.
    /// - Throws: `TLSError` of the kind `.configuration` for an invalid name.
    public func makeConnection(serverName: String?) throws(TLSError) -> TLSConnection {
        let key = serverName ?? ""
        let connection = try unsafe TLSConnection(
            self.context.pointer, role: .client(self, name: key), io: self.io)
        if let serverName { try self.expect(serverName, on: connection) }
        // If the session does not fit, there is a full handshake.
        if let session = self.sessions.removeValue(forKey: key) {
            // Sound: libssl takes a reference of its own.
            unsafe SSL_set_session(connection.ssl, session.pointer)
        }
        ErrorQueue.clear()
        return connection
    }

    private func expect(_ serverName: String, on connection: TLSConnection) throws(TLSError) {
        let ssl = unsafe connection.ssl
        // Sound: the parameters belong to the connection, and the names are copied.
        let parameters = unsafe SSL_get0_param(ssl)
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) == 1 { return }
        guard !serverName.isEmpty, !serverName.utf8.contains(0),
            unsafe SSL_set1_host(ssl, serverName) == 1,
            unsafe shim_SSL_set_tlsext_host_name(ssl, serverName) == 1
        else { throw .configuration("\"\(serverName)\" is not a server name") }
        unsafe SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
    }

    /// Remembers the session of a connection after its handshake. This is for TLS 1.2, in which libssl does not report a
    /// ticket that replaces another. In TLS 1.3 the session comes later, by callback.
    func rememberSession(of connection: TLSConnection, name: String) {
        // Sound: libssl returns a reference that we own.
        guard self.resume, unsafe SSL_version(connection.ssl) == TLS1_2_VERSION,
            let session = unsafe SSL_get1_session(connection.ssl)
        else { return }
        unsafe self.remember(Session(session), of: name)
    }

    fileprivate func remember(_ session: Session, of name: String) {
        self.sessions[name] = session
    }

    /// A session of libssl, freed with this object.
    @safe fileprivate final class Session {
        /// Sound: our own reference, released in `deinit`.
        let pointer: OpaquePointer

        /// Takes over a reference.
        init(_ pointer: OpaquePointer) {
            unsafe self.pointer = pointer
        }

        deinit {
            unsafe SSL_SESSION_free(self.pointer)
        }
    }
}

extension ContextHandle {
    /// Passes each new session to the `TLSClientContext`. libssl itself keeps none.
    fileprivate func rememberSessions() {
        unsafe shim_SSL_CTX_set_session_cache_mode(
            self.pointer, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        // Sound: `TLSConnection.of` is the connection that libssl calls back for. By returning 1 we take over the reference.
        unsafe SSL_CTX_sess_set_new_cb(self.pointer) { ssl, session in
            guard let session = unsafe session, unsafe SSL_SESSION_is_resumable(session) == 1 else { return 0 }
            guard case .client(let context, let name) = unsafe TLSConnection.of(ssl).role else { return 0 }
            unsafe context.remember(TLSClientContext.Session(session), of: name)
            return 1
        }
    }
}
