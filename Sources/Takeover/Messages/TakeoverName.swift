internal import Balancing
public import System

/// Where a running gateway waits for its successor.
public enum TakeoverName {
    /// The name of a Unix socket without a file, made of the user and the configuration: both processes can compute it, and a process that
    /// is killed leaves nothing behind.
    ///
    /// - Parameter configuration: the absolute path of the configuration file.
    public static func of(configuration: String, user: UInt32 = OwnProcess.user) -> SocketAddress {
        .abstract(name: "gateway/\(user)/\(self.digits(StableHash.of(configuration)))")
    }

    /// The name for a configuration that came by a pipe. Its text identifies it: the name of a pipe says nothing.
    public static func of(contents: [UInt8], user: UInt32 = OwnProcess.user) -> SocketAddress {
        .abstract(name: "gateway/\(user)/pipe/\(self.digits(StableHash.of(contents)))")
    }

    private static func digits(_ hash: UInt64) -> String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
