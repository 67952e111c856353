internal import Glibc

/// What has not come after so many milliseconds will not come: everything here takes microseconds.
private let patience: Int32 = 20_000

/// Two connected Unix sockets that do not block.
public func socketPair() -> (near: Int32, far: Int32) {
    var pair: [Int32] = [-1, -1]
    // The kernel writes two descriptors.
    let result = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair)
    precondition(result == 0, "no sockets")
    return (pair[0], pair[1])
}

/// Waits until there is something to read or to accept. Returns the number of such descriptors.
public func waitToRead(_ descriptors: [Int32]) -> Int {
    poll(descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) })
}

/// Waits until there is something to read or to accept. Returns false if that takes too long.
public func waitToRead(_ descriptor: Int32) -> Bool { waitToRead([descriptor]) == 1 }

/// Waits until the socket takes bytes. Returns false if that takes too long.
public func waitToWrite(_ descriptor: Int32) -> Bool {
    poll([pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)]) == 1
}

private func poll(_ descriptors: [pollfd]) -> Int {
    var waiting = descriptors
    while true {
        // The kernel writes to these records.
        let count = unsafe Glibc.poll(&waiting, nfds_t(waiting.count), patience)
        // A ring that closes interrupts the thread that opened it (poll(2), EINTR).
        if count >= 0 || errno != EINTR { return Int(max(0, count)) }
    }
}
