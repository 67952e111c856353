import Configuration

@testable import Sessions

/// Where a Close can be sent: on legs that are not in the middle of a frame.
extension ClosingHandshake.Places {
    static var anywhere: Self { Self() }

    static func anywhere(but leg: Leg) -> Self {
        var places = Self.anywhere
        places.canSend[leg] = false
        return places
    }

    static var nowhere: Self { Self(canSend: PerLeg(client: false, backend: false)) }
}

extension Leg {
    /// How our side of a leg ends after its last Close: we are the client's server and the backend's client.
    var quietEnd: ClosingHandshake.End { self == .client ? .shutDown : .wait }
}

extension ClosingHandshake {
    /// The closing handshake of an open session.
    static func of(_ kind: SessionKind, codes: CloseCodes = .registered) -> ClosingHandshake {
        var closing = ClosingHandshake(codes)
        if kind != .serve { closing.connected() }
        closing.begin(kind)
        return closing
    }

    /// The Close that `leg` gets for the present ending. `EndingTests` checks its words.
    func told(_ leg: Leg) -> LegAction.Say { self.ending?.close(to: leg).map { .close($0) } ?? .nothing }
}
