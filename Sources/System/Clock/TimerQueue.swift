/// Timers by deadline: a binary heap in which every entry knows its place, so that a timer can be moved or removed.
///
/// It has no clock: the time is passed in. Entries are values, so a million timers are not a million objects.
public struct TimerQueue<Element> {
    /// Identifies a timer until it fires or is removed. After that it has no effect.
    public struct ID: Hashable, Sendable {
        fileprivate let slot: UInt32
        fileprivate let generation: UInt32
    }

    private struct Slot {
        var element: Element?
        var deadline: MonotonicInstant
        var generation: UInt32
        /// Where in `heap` this slot stands.
        var position: UInt32
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []
    /// Slot numbers. No child is earlier than its parent.
    private var heap: [UInt32] = []

    init() {}

    /// The earliest deadline.
    var next: MonotonicInstant? { self.heap.first.map { self.slots[Int($0)].deadline } }

    /// Adds a timer.
    mutating func insert(_ element: Element, at deadline: MonotonicInstant) -> ID {
        let slot: Int
        if let reused = self.free.popLast() {
            slot = Int(reused)
            self.slots[slot].element = element
            self.slots[slot].deadline = deadline
        } else {
            slot = self.slots.count
            self.slots.append(Slot(element: element, deadline: deadline, generation: 0, position: 0))
        }
        self.slots[slot].position = UInt32(self.heap.count)
        self.heap.append(UInt32(slot))
        self.siftUp(self.heap.count - 1)
        return ID(slot: UInt32(slot), generation: self.slots[slot].generation)
    }

    /// Moves a timer to another deadline. Returns false if it has fired or was removed.
    @discardableResult
    mutating func move(_ id: ID, to deadline: MonotonicInstant) -> Bool {
        guard self.isLive(id) else { return false }
        let slot = Int(id.slot)
        self.slots[slot].deadline = deadline
        self.siftUp(Int(self.slots[slot].position))
        self.siftDown(Int(self.slots[slot].position))
        return true
    }

    /// Removes a timer, if it is still there.
    mutating func remove(_ id: ID) {
        guard self.isLive(id) else { return }
        _ = self.take(Int(id.slot))
    }

    /// Takes out the earliest timer, if its deadline is not after `now`.
    mutating func popExpired(_ now: MonotonicInstant) -> Element? {
        guard let slot = self.heap.first, self.slots[Int(slot)].deadline <= now else { return nil }
        return self.take(Int(slot))
    }

    private func isLive(_ id: ID) -> Bool {
        let slot = Int(id.slot)
        return slot < self.slots.count && self.slots[slot].generation == id.generation
            && self.slots[slot].element != nil
    }

    private mutating func take(_ slot: Int) -> Element? {
        let position = Int(self.slots[slot].position)
        let last = self.heap.count - 1
        if position != last { self.swap(position, last) }
        self.heap.removeLast()
        if position != last {
            let moved = Int(self.heap[position])
            self.siftUp(position)
            self.siftDown(Int(self.slots[moved].position))
        }
        let element = self.slots[slot].element
        self.slots[slot].element = nil
        self.slots[slot].generation &+= 1
        self.free.append(UInt32(slot))
        return element
    }

    private func isEarlier(_ left: Int, _ right: Int) -> Bool {
        self.slots[Int(self.heap[left])].deadline < self.slots[Int(self.heap[right])].deadline
    }

    private mutating func swap(_ left: Int, _ right: Int) {
        self.heap.swapAt(left, right)
        self.slots[Int(self.heap[left])].position = UInt32(left)
        self.slots[Int(self.heap[right])].position = UInt32(right)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.isEarlier(child, parent) else { return }
            self.swap(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = 2 * parent + 1
            guard least < self.heap.count else { return }
            if least + 1 < self.heap.count, self.isEarlier(least + 1, least) { least += 1 }
            guard self.isEarlier(least, parent) else { return }
            self.swap(least, parent)
            parent = least
        }
    }
}
