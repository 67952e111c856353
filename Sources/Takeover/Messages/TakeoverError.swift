/// Why a takeover failed.
enum TakeoverError: Error, Equatable, CustomStringConvertible {
    /// Bytes that are no takeover message.
    case unintelligible
    /// A message that may not come now, or one with the wrong number of descriptors.
    case unexpected
    /// More listeners than one gateway may name.
    case tooMany
    /// The version that the other side speaks.
    case otherVersion(String)

    var description: String {
        switch self {
        case .unintelligible: "received bytes that are no takeover message"
        case .unexpected: "a takeover message out of order"
        case .tooMany: "the other side names too many listeners"
        case .otherVersion(let version):
            "the other side speaks version \(version) of the takeover protocol, this one \(TakeoverMessage.version)"
        }
    }
}
