internal import HTTP1

extension HTTPFields {
    /// The sender ends the connection after this message (RFC 9112 section 9.6).
    var hasConnectionClose: Bool { self.hasElement("Connection") { $0.equalsIgnoringCase("close".utf8.span) } }
}
