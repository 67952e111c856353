internal import CLinux
internal import Glibc

/// Sends datagrams to one Unix socket, without waiting.
public final class DatagramSender {
    private let descriptor: Int32
    private let address: SocketAddress

    /// Throws if there is no socket to send from. Whether there is one at `address` shows when it sends.
    public init(to address: SocketAddress) throws(SystemError) {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        self.descriptor = socket(AF_UNIX, type, 0)
        self.address = address
        guard self.descriptor >= 0 else { throw .last("socket") }
    }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    /// Sends all of `bytes` at once, or fails at once.
    public func send(_ bytes: [UInt8]) throws(SystemError) {
        while true {
            // The kernel reads the array's bytes and the address before the call returns.
            let count = unsafe try self.address.withKernelForm { address, length in
                unsafe bytes.withUnsafeBytes { bytes in
                    unsafe sendto(
                        self.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL), address, length)
                }
            }
            if count >= 0 { return }
            guard errno == EINTR else { throw .last("sendto") }
        }
    }
}
