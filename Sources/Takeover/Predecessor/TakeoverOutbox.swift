internal import System

/// Messages to a successor that are not sent yet, with the descriptors that they carry.
struct TakeoverOutbox: ~Copyable {
    private struct Parcel {
        var bytes: [UInt8]
        var descriptors: [Int32] = []
        /// Whether the descriptors are copies that are closed here.
        var isOwner = false

        func close() {
            if self.isOwner { for descriptor in self.descriptors { Kernel.close(descriptor) } }
        }
    }

    private var waiting: [Parcel] = []

    var isEmpty: Bool { self.waiting.isEmpty }

    mutating func add(_ message: TakeoverMessage) {
        self.waiting.append(Parcel(bytes: message.bytes))
    }

    /// Adds a listener with its sockets, in as many messages as the sockets need.
    mutating func add(listener address: String, sockets: [Int32]) {
        var bytes = TakeoverMessage.listener(address).bytes
        var rest = sockets[...]
        repeat {
            let carried = Array(rest.prefix(Kernel.mostDescriptors))
            rest = rest.dropFirst(carried.count)
            if !carried.isEmpty { bytes += TakeoverMessage.sockets(carried.count).bytes }
            self.waiting.append(Parcel(bytes: bytes, descriptors: carried))
            bytes = []
        } while !rest.isEmpty
    }

    /// Sends what the socket accepts. The rest gets copies of its descriptors, because their owner may close them.
    mutating func flush(to socket: Int32) throws(SystemError) {
        while let parcel = self.waiting.first {
            switch Kernel.send(socket, parcel.bytes.span, carrying: parcel.descriptors) {
            case .sent(let count):
                // All descriptors go with the first byte.
                parcel.close()
                self.waiting[0] = Parcel(bytes: Array(parcel.bytes[count...]))
                if count == parcel.bytes.count { self.waiting.removeFirst() }
            case .wouldBlock:
                for index in self.waiting.indices where !self.waiting[index].isOwner {
                    self.waiting[index].descriptors = try Kernel.duplicateAll(self.waiting[index].descriptors)
                    self.waiting[index].isOwner = true
                }
                return
            case .failed(let error):
                throw error
            }
        }
    }

    deinit {
        for parcel in self.waiting { parcel.close() }
    }
}
