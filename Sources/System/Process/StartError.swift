/// Why the gateway cannot start: one line that names the place and the reason.
package struct StartError: Error, Equatable, CustomStringConvertible {
    /// That line.
    package let description: String

    package init(_ description: String) { self.description = description }
}
