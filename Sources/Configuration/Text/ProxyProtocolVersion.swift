/// `send-proxy-protocol` of a backend: the version of the PROXY protocol.
public enum ProxyProtocolVersion: String, CaseIterable, Sendable {
    /// A line of text.
    case v1
    /// Bytes.
    case v2
}
