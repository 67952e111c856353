/// Why the gateway cannot start: one line that names the place and the reason.
public struct StartError: Error, Equatable, CustomStringConvertible {
    /// That line.
    public let description: String

    /// `description` is one line.
    public init(_ description: String) { self.description = description }
}
