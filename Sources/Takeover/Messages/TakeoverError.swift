/// Why a takeover failed.
enum TakeoverError: Error, Equatable, CustomStringConvertible {
    /// The bytes are not a takeover message.
    case unintelligible
    /// A message out of order, or with the wrong number of descriptors.
    case unexpected
    case tooMany
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
