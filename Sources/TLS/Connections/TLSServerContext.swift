import COpenSSL

/// TLS of one listener on one worker. It makes its connections.
public final class TLSServerContext {
    let io: TLSIO
    private let tickets: TicketKeys
    private let names: ServerNames
    private let asksForCertificate: Bool
    /// One for each group of certificates in `names`. A connection starts with the first and is switched by the name that the
    /// client asks for.
    private let contexts: [ContextHandle]

    /// - Parameters:
    ///   - io: that of the worker.
    ///   - tickets: those of the listener.
    /// - Throws: `TLSError` of the kind `.configuration`.
    public init(_ settings: TLSServerSettings, io: TLSIO, tickets: TicketKeys) throws(TLSError) {
        guard !settings.certificates.isEmpty else {
            throw TLSError(.configuration, "a listener with TLS needs a certificate")
        }
        self.io = io
        self.tickets = tickets
        self.asksForCertificate = settings.clientAuthorities != nil
        self.names = settings.serverNames
        var contexts: [ContextHandle] = []
        let sessionContext = settings.sessionContext
        for group in self.names.groups {
            let context = try ContextHandle(.server, minimum: settings.minimum)
            for index in group { try context.use(settings.certificates[index]) }
            if let authorities = settings.clientAuthorities {
                try context.askForCertificate(of: authorities, isDemanded: settings.demandsCertificate)
            }
            try context.resumeByTickets(within: sessionContext)
            context.chooseApplicationProtocol()
            contexts.append(context)
        }
        self.contexts = contexts
        // Sound: libssl calls back with it only for our connections, which keep `self` alive.
        unsafe contexts[0].chooseCertificate(Unmanaged.passUnretained(self).toOpaque())
        ErrorQueue.clear()
    }

    /// An accepted connection, before its TLS handshake.
    public func makeConnection() throws(TLSError) -> TLSConnection {
        try unsafe TLSConnection(self.contexts[0].pointer, role: .server(self), io: self.io)
    }

    /// Switches a connection to the certificate for the name that the client asks for.
    fileprivate func chooseCertificate(_ ssl: OpaquePointer?) {
        // Sound: the string of libssl is copied.
        guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return }
        let group = unsafe self.names.group(for: String(cString: name))
        // The settings that the connection was made with (client certificates, session context) stay.
        if group > 0 { unsafe SSL_set_SSL_CTX(ssl, self.contexts[group].pointer) }
    }

    /// Prepares libssl to seal or open a ticket.
    ///
    /// Sound if libssl's ticket callback calls it with its pointers.
    @unsafe fileprivate func ticketKey(
        _ name: UnsafeMutablePointer<UInt8>?, _ iv: UnsafeMutablePointer<UInt8>?, _ cipher: OpaquePointer?,
        _ mac: OpaquePointer?, sealing: Bool, version: Int32
    ) -> Int32 {
        guard let name = unsafe name, let iv = unsafe iv, let cipher = unsafe cipher, let mac = unsafe mac else {
            return -1
        }
        if sealing { return unsafe self.tickets.seal(name, iv, cipher, mac) }
        let replacement: TicketKeys.Replacement =
            if self.asksForCertificate { .never } else { version == TLS1_3_VERSION ? .always : .ofOlderKeys }
        return unsafe self.tickets.open(name, iv, cipher, mac, replacement: replacement)
    }
}

extension ContextHandle {
    /// Refuses clients that show another certificate than one of `authorities`.
    ///
    /// - Parameter isDemanded: Those that show none are refused, too.
    fileprivate func askForCertificate(
        of authorities: TrustedAuthorities, isDemanded: Bool
    ) throws(TLSError) {
        try self.trust(authorities, announced: true)
        let more = isDemanded ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0
        unsafe SSL_CTX_set_verify(self.pointer, SSL_VERIFY_PEER | more, nil)
    }

    /// Stores sessions in tickets at the client, and nowhere else.
    fileprivate func resumeByTickets(within sessionContext: [UInt8]) throws(TLSError) {
        unsafe shim_SSL_CTX_set_session_cache_mode(self.pointer, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_timeout(self.pointer, Int(TicketKeys.ticketLifetime.components.seconds))
        guard unsafe SSL_CTX_set_num_tickets(self.pointer, 1) == 1,
            unsafe SSL_CTX_set_session_id_context(self.pointer, sessionContext, UInt32(sessionContext.count)) == 1
        else { throw .configuration("no TLS context") }
        // Sound: `TLSConnection.of` and the pointers belong to the connection that libssl calls back for.
        unsafe shim_SSL_CTX_set_tlsext_ticket_key_evp_cb(self.pointer) { ssl, name, iv, cipher, mac, sealing in
            guard case .server(let context) = unsafe TLSConnection.of(ssl).role else { return -1 }
            return unsafe context.ticketKey(name, iv, cipher, mac, sealing: sealing == 1, version: SSL_version(ssl))
        }
    }

    /// Chooses `http/1.1` from a client's offer, and refuses a client that offers only others (RFC 7301 section 3.2).
    fileprivate func chooseApplicationProtocol() {
        // Sound: `offers` is the client's list, checked by libssl. The chosen name points into it, as libssl requires.
        unsafe SSL_CTX_set_alpn_select_cb(
            self.pointer,
            { _, chosen, chosenCount, offers, count, _ in
                let offers = unsafe UnsafeBufferPointer(start: offers, count: Int(count))
                guard let range = applicationProtocol(in: unsafe offers.span) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                unsafe chosen?.pointee = unsafe offers.baseAddress! + range.lowerBound
                unsafe chosenCount?.pointee = UInt8(range.count)
                return SSL_TLSEXT_ERR_OK
            }, nil)
    }

    /// - Parameter server: the `TLSServerContext`.
    fileprivate func chooseCertificate(_ server: UnsafeMutableRawPointer) {
        unsafe shim_SSL_CTX_set_tlsext_servername_arg(self.pointer, server)
        unsafe shim_SSL_CTX_set_tlsext_servername_callback(self.pointer) { ssl, _, server in
            guard let server = unsafe server else { return SSL_TLSEXT_ERR_ALERT_FATAL }
            // Sound: see `TLSServerContext.init`.
            unsafe Unmanaged<TLSServerContext>.fromOpaque(server).takeUnretainedValue().chooseCertificate(ssl)
            return SSL_TLSEXT_ERR_OK
        }
    }
}

/// The place of `http/1.1` in a list of protocol names, each preceded by its length (RFC 7301 section 3.1).
private func applicationProtocol(in offers: Span<UInt8>) -> Range<Int>? {
    let text = "http/1.1"
    let wanted = text.utf8.span
    var index = 0
    while index < offers.count {
        let range = index + 1..<index + 1 + Int(offers[index])
        guard range.upperBound <= offers.count else { return nil }
        if range.count == wanted.count, range.allSatisfy({ offers[$0] == wanted[$0 - range.lowerBound] }) {
            return range
        }
        index = range.upperBound
    }
    return nil
}
