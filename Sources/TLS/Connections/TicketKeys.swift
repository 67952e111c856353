import COpenSSL
import Glibc
import Synchronization

/// The keys that seal session tickets (RFC 5077 section 4), shared by the workers of one listener.
///
/// Listeners never share them: a ticket replaces a full handshake, so one from a listener without client certificates must not
/// open a listener that demands them. New tickets are sealed with the newest key. Those sealed with one of the two keys before
/// are still accepted, and replaced.
public final class TicketKeys: Sendable {
    /// How often to call `rotate`. A ticket is valid for two to three times as long.
    public static let rotationInterval: Duration = .seconds(4 * 3600)
    /// The lifetime that a ticket states.
    static let ticketLifetime: Duration = .seconds(12 * 3600)

    private static let keptKeys = 3

    private let keys: Mutex<[Key]>

    /// Makes the first key.
    public init() {
        self.keys = Mutex([Key()])
    }

    /// Makes a new random key for new tickets, and drops the oldest if there are more than three. Any thread may call it.
    public func rotate() {
        let new = Key()
        self.keys.withLock { keys in
            keys.insert(new, at: 0)
            if keys.count > Self.keptKeys { keys.removeLast() }
        }
    }

    /// The key for new tickets.
    var newest: Key {
        self.keys.withLock { $0[0] }
    }

    /// The key of that name, and whether it is the newest; `nil` if there is none.
    func find(_ name: Span<UInt8>) -> (key: Key, isNewest: Bool)? {
        self.keys.withLock { keys in
            for (index, key) in keys.enumerated() where key.hasName(name) { return (key, index == 0) }
            return nil
        }
    }
}

extension TicketKeys {
    /// Prepares libssl to seal a new ticket with the newest key, and writes the key's name and a random IV.
    ///
    /// Sound if the pointers are those of libssl's ticket callback: a name of 16 bytes, an IV of the cipher's length, and two
    /// contexts to set up.
    ///
    /// - Returns: the callback's result: 1, or -1 for an error.
    @unsafe func seal(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
        _ mac: OpaquePointer
    ) -> Int32 {
        let key = self.newest
        // From the kernel, in half the time of libcrypto's generator. An IV must be unpredictable, but is not secret.
        guard unsafe getentropy(iv, Key.ivCount) == 0 else { return -1 }
        unsafe name.update(from: key.name, count: Key.nameCount)
        guard unsafe EVP_EncryptInit_ex(cipher, Key.cipher, nil, key.encryption, iv) == 1,
            unsafe shim_HMAC_SHA256_init(mac, key.authentication, key.authentication.count) == 1
        else { return -1 }
        return 1
    }

    /// Prepares libssl to open a ticket, if its key is one of ours.
    ///
    /// Sound as for `seal`.
    ///
    /// - Parameter replacement: when the client gets a new ticket in its place.
    /// - Returns: the callback's result: 1; 2 to replace the ticket; 0 for a full handshake; -1 for an error.
    @unsafe func open(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
        _ mac: OpaquePointer, replacement: Replacement
    ) -> Int32 {
        let nameBuffer = unsafe UnsafeBufferPointer(start: name, count: Key.nameCount)
        guard let (key, isNewest) = unsafe self.find(nameBuffer.span) else { return 0 }
        guard unsafe EVP_DecryptInit_ex(cipher, Key.cipher, nil, key.encryption, iv) == 1,
            unsafe shim_HMAC_SHA256_init(mac, key.authentication, key.authentication.count) == 1
        else { return -1 }
        switch replacement {
        case .never: return 1
        case .always: return 2
        case .ofOlderKeys: return isNewest ? 1 : 2
        }
    }

    /// When a client that shows a ticket gets a new one.
    enum Replacement {
        /// The client must show its certificate again when the ticket expires.
        case never
        /// A ticket is used only once in TLS 1.3 (RFC 8446 appendix C.4).
        case always
        /// If the ticket was sealed with an older key, which will be dropped.
        case ofOlderKeys
    }
}

extension TicketKeys {
    /// A key for tickets: AES-256-CBC and HMAC-SHA256, as RFC 5077 section 4 recommends.
    struct Key: Sendable {
        /// In bytes.
        static let nameCount = 16
        /// In bytes: a block of the cipher.
        static let ivCount = 16

        /// Fetched once. libcrypto would look up `EVP_aes_256_cbc` for each ticket, which takes longer than the key schedule.
        ///
        /// Sound: all threads may share it, as it is never changed and never freed.
        nonisolated(unsafe) static let cipher = unsafe EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)

        /// Sent in the clear with each ticket, to find the key again.
        let name: [UInt8]
        /// 32 bytes.
        let encryption: [UInt8]
        /// 32 bytes.
        let authentication: [UInt8]

        init() {
            self.name = Self.random(Self.nameCount)
            self.encryption = Self.random(32)
            self.authentication = Self.random(32)
        }

        func hasName(_ name: Span<UInt8>) -> Bool {
            guard name.count == self.name.count else { return false }
            for index in name.indices where name[index] != self.name[index] { return false }
            return true
        }

        private static func random(_ count: Int) -> [UInt8] {
            unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
                // Sound: as many bytes are written as there is room for.
                let code = unsafe RAND_priv_bytes(buffer.baseAddress, Int32(count))
                precondition(code == 1, "the system has no random numbers")
                written = count
            }
        }
    }
}
