/// `scheme` of a route: that of the client's URL.
public enum ClientScheme: String, CaseIterable, Sendable {
    /// `http://` and `ws://`.
    case http
    /// `https://` and `wss://`.
    case https
}
