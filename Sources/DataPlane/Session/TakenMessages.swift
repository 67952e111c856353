internal import Connections
internal import DequeModule
internal import WebSocketProtocol

/// How many of the messages to a leg its socket has accepted, while some are queued.
///
/// While the socket accepts everything, nothing is stored. Otherwise the count is known in steps, each with the number of messages at some
/// number of queued bytes. Messages after the last step that the socket has reached do not count yet.
struct TakenMessages {
    private struct Mark {
        /// Bytes that were ever queued.
        var position: UInt64
        var tally: MessageTally
    }

    /// The least distance between marks in bytes, so that tiny messages take no more memory here than in the queue.
    private static let step: UInt64 = 16 << 10

    /// Ascending. The first has what was accepted before.
    private var marks = Deque<Mark>()

    /// Messages were sent, and some of their bytes are queued or will never be sent.
    ///
    /// - Parameters:
    ///   - before: the messages before them.
    ///   - tally: the messages including them.
    ///   - write: the leg's, with their bytes.
    mutating func sent(_ before: MessageTally, _ tally: MessageTally, _ write: WriteSide) {
        let taken = write.takenEver
        // If the socket has accepted everything, begin anew from here.
        if self.marks.last.map({ $0.position <= taken }) ?? true { self.marks = [Mark(position: taken, tally: before)] }
        while self.marks.count > 1, self.marks[1].position <= taken { self.marks.removeFirst() }
        let mark = Mark(position: write.queuedEver, tally: tally)
        if self.marks.count > 2, mark.position - self.marks[self.marks.count - 2].position < Self.step {
            self.marks[self.marks.count - 1] = mark
        } else {
            self.marks.append(mark)
        }
    }

    /// The messages that the socket has accepted.
    ///
    /// - Parameters:
    ///   - tally: all messages that were sent.
    ///   - write: the leg's.
    func taken(of tally: MessageTally, _ write: WriteSide) -> MessageTally {
        guard write.untaken > 0 else { return tally }
        return self.marks.last { $0.position <= write.takenEver }?.tally ?? tally
    }
}
