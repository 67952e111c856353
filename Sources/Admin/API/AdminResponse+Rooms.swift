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
    func ask(_ order: RoomOrder, by asker: String) -> AdminResponse {
        guard let desk = self.rooms(of: order.backend) else {
            return .error(404, "there is no broadcast backend \(order.backend)")
        }
        let nothing = AdminResponse.error(404, "there is no such room")
        switch order.action {
        case .show:
            guard let (facts, remembered) = desk.room(order.room) else { return nothing }
            return .room(facts, remembered, of: order.backend)
        case .forget:
            guard desk.forget(order.room) else { return nothing }
            self.log(AdminChange(forgetting: order.room.text, of: order.backend), by: asker)
            return .json { $0.member("forgotten", true) }
        case .publish(let payload, let contentType, let key, let excluded):
            let message = Message(published: payload, contentType: contentType)
            guard let published = desk.publish(message, to: order.room, key: key, without: excluded) else {
                return .error(503, "the gateway is behind with delivering")
            }
            return AdminResponse(200, contentType: "application/json", body: published.json(of: order.room))
        }
    }
}
