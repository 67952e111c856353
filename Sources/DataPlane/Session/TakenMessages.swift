internal import Connections
internal import DequeModule
internal import WebSocketProtocol

/// How many messages of a leg its socket has taken, while some wait in its queue.
///
/// Nothing is remembered of a leg whose socket takes everything. Otherwise it is known at steps: at each, how many messages there were
/// when so many bytes had been queued. What the socket took beyond the last step that it has passed does not count yet.
struct TakenMessages {
    private struct Mark {
        /// Bytes that were ever queued.
        var position: UInt64
        var tally: MessageTally
    }

    /// Marks are no closer than that many bytes, so that tiny messages do not take more memory here than in the queue.
    private static let step: UInt64 = 16 << 10

    /// Ascending. The first is what had been taken before.
    private var marks = Deque<Mark>()

    /// Messages were sent of which some bytes wait, or are lost.
    ///
    /// - Parameters:
    ///   - before: what there was before them.
    ///   - tally: what there is with them.
    ///   - write: the leg's, with their bytes.
    mutating func sent(_ before: MessageTally, _ tally: MessageTally, _ write: WriteSide) {
        let taken = write.takenEver
        // Where the socket had taken everything, that is where to begin anew.
        if self.marks.last.map({ $0.position <= taken }) ?? true { self.marks = [Mark(position: taken, tally: before)] }
        while self.marks.count > 1, self.marks[1].position <= taken { self.marks.removeFirst() }
        let mark = Mark(position: write.queuedEver, tally: tally)
        if self.marks.count > 2, mark.position - self.marks[self.marks.count - 2].position < Self.step {
            self.marks[self.marks.count - 1] = mark
        } else {
            self.marks.append(mark)
        }
    }

    /// - Parameters:
    ///   - tally: of all that was sent.
    ///   - write: the leg's.
    func taken(of tally: MessageTally, _ write: WriteSide) -> MessageTally {
        guard write.untaken > 0 else { return tally }
        return self.marks.last { $0.position <= write.takenEver }?.tally ?? tally
    }
}
