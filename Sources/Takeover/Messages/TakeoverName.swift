internal import Balancing
public import System

/// The socket address at which a running gateway waits for its successor.
public enum TakeoverName {
    /// The address for a configuration file. It is made of the user and the path, so that both processes can compute it. It is a Unix
    /// socket without a file, so that a process that is killed leaves nothing behind.
    ///
    /// - Parameter configuration: the absolute path of the configuration file.
    public static func of(configuration: String, user: UInt32 = OwnProcess.user) -> SocketAddress {
        .abstract(name: "gateway/\(user)/\(self.digits(StableHash.of(configuration)))")
    }

    /// The address for a configuration that came by a pipe. It is made of the text, because the name of a pipe says nothing about it.
    public static func of(contents: [UInt8], user: UInt32 = OwnProcess.user) -> SocketAddress {
        .abstract(name: "gateway/\(user)/pipe/\(self.digits(StableHash.of(contents)))")
    }

    private static func digits(_ hash: UInt64) -> String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
