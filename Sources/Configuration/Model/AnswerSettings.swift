/// `answer:` of a route, the same for every request.
public struct AnswerSettings: Equatable, Sendable, KeyedSettings {
    /// `status`, 200 to 599.
    public var status = Keys.answer.status.default
    /// `text`: the body, sent as it is.
    public var text = Keys.answer.text.default
    /// `type`: the media type of the body.
    public var type = Keys.answer.type.default

    /// Every key is absent.
    public init() {}

    static let fields = [
        Field(Keys.answer.status, \Self.status), Field(Keys.answer.text, \.text), Field(Keys.answer.type, \.type),
    ]

    /// Whether the status allows a body (RFC 9110 section 6.4.1).
    var hasBody: Bool { ![204, 205, 304].contains(self.status) }
}
