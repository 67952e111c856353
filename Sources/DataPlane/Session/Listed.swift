internal import Sessions

/// What has a row in the table of sessions: a session, or a connection that may become one.
protocol Listed: AnyObject {
    /// `nil`: it is over, or only waits for another request.
    var traits: SessionTraits? { get }
    /// `nil` where there are no traits.
    var row: SessionRow? { get }
    /// Nothing ends it yet.
    var isClosable: Bool { get }

    func close(_ ending: Ending)
}
