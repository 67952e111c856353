internal import Admission
internal import ControlPlane
internal import DataPlane
internal import HTTP1
internal import System
internal import WebSocketProtocol

extension AdminResponse {
    static func rooms(_ page: RoomPage) -> AdminResponse {
        .json {
            $0.array("rooms", page.rows) { json, row in
                json.member("backend", row.backend)
                json.room(row.facts)
                json.member("rate", rounded: row.rate)
            }
            $0.member("total", page.total)
            $0.member("next", page.next?.text)
        }
    }

    static func room(_ facts: RoomFacts, _ remembered: [RoomFacts.Remembered], of backend: String) -> AdminResponse {
        .json {
            $0.member("backend", backend)
            $0.room(facts)
            $0.array("messages", remembered) { json, message in
                json.member("offset", message.offset)
                json.member("at", WallClock.rfc3339(message.at))
                json.member("opcode", message.isText ? "text" : "binary")
                json.member("bytes", message.size)
                guard let payload = message.payload else { return }
                if message.isText {
                    json.member("payload", String(decoding: payload, as: UTF8.self))
                } else {
                    json.member("payload_base64", Base64.encoded(payload.span))
                }
            }
        }
    }
}

extension JSONText {
    fileprivate mutating func room(_ facts: RoomFacts) {
        self.member("room", facts.name.text)
        self.member("members", facts.members)
        self.member("epoch", facts.position?.epoch)
        self.member("offset", facts.position?.offset)
        self.member("remembered", facts.remembered)
        self.member("remembered_bytes", facts.bytes)
    }
}

extension GatewayControl {
    func ask(_ order: RoomOrder, by asker: String, then answer: @escaping (AdminResponse) -> Void) {
        guard let desk = self.rooms(of: order.backend) else {
            return answer(.error(404, "there is no broadcast backend \(order.backend)"))
        }
        let make: @Sendable () -> AdminResponse = { order.answer(of: desk) }
        let then: (AdminResponse) -> Void = { response in
            if order.action == .forget, response.status == 200 {
                self.log(AdminChange(forgetting: order.room.text, of: order.backend), by: asker)
            }
            answer(response)
        }
        // A server may take a while to answer.
        if desk.isShared { self.aside(make, then: then) } else { then(make()) }
    }
}

extension RoomOrder {
    fileprivate func answer(of desk: RoomDesk) -> AdminResponse {
        let nothing = AdminResponse.error(404, "there is no such room")
        switch self.action {
        case .show:
            guard let (facts, remembered) = desk.room(self.room) else { return nothing }
            return .room(facts, remembered, of: self.backend)
        case .forget: return desk.forget(self.room) ? .json { $0.member("forgotten", true) } : nothing
        case .publish(let payload, let contentType, let key, let excluded):
            let message = Message(published: payload, contentType: contentType)
            guard let published = desk.publish(message, to: self.room, key: key, without: excluded) else {
                return .error(
                    503,
                    desk.isShared
                        ? "the server of the rooms does not answer: the message may not be published"
                        : "the gateway is behind with delivering")
            }
            return AdminResponse(200, contentType: "application/json", body: published.json(of: self.room))
        }
    }
}
