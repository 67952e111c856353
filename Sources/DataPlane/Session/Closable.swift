internal import Sessions

/// What the gateway can close in order.
protocol Closable: AnyObject {
    /// Closing what has ended does nothing.
    func close(_ ending: Ending)
}
