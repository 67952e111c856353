@testable import Proxy

/// Where a Close can be sent: on legs that are not in the middle of a frame.
extension PerLeg<Bool> {
    static var anywhere: PerLeg { PerLeg(client: true, backend: true) }

    static func anywhere(but leg: Leg) -> PerLeg {
        var canSend = Self.anywhere
        canSend[leg] = false
        return canSend
    }
}
