import COpenSSL
import Glibc
import Synchronization

/// The keys that seal session tickets (RFC 5077 section 4), shared by the workers of one listener.
///
/// Never shared by listeners: a ticket is as good as a full handshake, so one from a listener without client
/// certificates must not open one that demands them. New tickets are sealed with the newest key; those sealed with one
/// of the two before are still opened, and replaced.
package final class TicketKeys: Sendable {
    /// How often to call `rotate`. A ticket is good for two to three times as long.
    package static let rotationInterval: Duration = .seconds(4 * 3600)
    /// How long a ticket is said to be good for.
    static let ticketLifetime: Duration = .seconds(12 * 3600)

    private static let keptKeys = 3

    private let keys: Mutex<[TicketKey]>

    /// Starts with one random key.
    package init() {
        self.keys = Mutex([TicketKey()])
    }

    /// Makes a new random key the one in use, and forgets the oldest when there are more than three. From any thread.
    package func rotate() {
        let new = TicketKey()
        self.keys.withLock { keys in
            keys.insert(new, at: 0)
            if keys.count > Self.keptKeys { keys.removeLast() }
        }
    }

    /// The key for new tickets.
    var newest: TicketKey {
        self.keys.withLock { $0[0] }
    }

    /// The key with a name, and whether it is the newest; nil if it is forgotten or was never ours.
    func find(_ name: Span<UInt8>) -> (key: TicketKey, isNewest: Bool)? {
        self.keys.withLock { keys in
            for (index, key) in keys.enumerated() where key.hasName(name) { return (key, index == 0) }
            return nil
        }
    }
}

/// A key for tickets: AES-256-CBC and HMAC-SHA256, as RFC 5077 section 4 recommends.
struct TicketKey: Sendable {
    static let nameCount = 16
    /// The cipher's block.
    static let ivCount = 16

    /// Looked up once: `EVP_aes_256_cbc` is looked up by libcrypto for every ticket, which takes longer than the key schedule.
    ///
    /// Sound to share by all threads: never changed, and never freed.
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
            // Sound: as many bytes are written as there is room for. A system without randomness cannot go on.
            let code = unsafe RAND_priv_bytes(buffer.baseAddress, Int32(count))
            precondition(code == 1, "the system has no random numbers")
            written = count
        }
    }
}

extension TicketKeys {
    /// Sets libssl up to seal a new ticket with the newest key, whose name and a random IV it writes.
    ///
    /// Sound if the pointers are those of libssl's ticket callback: a name of 16 bytes, an IV of the cipher's length,
    /// and two contexts to set up.
    ///
    /// - Returns: as that callback does, 1, or -1 for an error.
    @unsafe func seal(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
        _ mac: OpaquePointer
    ) -> Int32 {
        let key = self.newest
        // From the kernel, in half the time of libcrypto's generator: an IV has to be unpredictable, and is no secret.
        guard unsafe getentropy(iv, TicketKey.ivCount) == 0 else { return -1 }
        unsafe name.update(from: key.name, count: TicketKey.nameCount)
        guard unsafe EVP_EncryptInit_ex(cipher, TicketKey.cipher, nil, key.encryption, iv) == 1,
            unsafe shim_HMAC_SHA256_init(mac, key.authentication, key.authentication.count) == 1
        else { return -1 }
        return 1
    }

    /// Sets libssl up to open a ticket, if its key is one of ours.
    ///
    /// Sound as for `seal`.
    ///
    /// - Parameter replacement: when the client gets a new ticket for it.
    /// - Returns: as libssl's callback does, 1; 2 to have the ticket replaced; 0 for a full handshake; -1 for an error.
    @unsafe func open(
        _ name: UnsafeMutablePointer<UInt8>, _ iv: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer,
        _ mac: OpaquePointer, replacement: Replacement
    ) -> Int32 {
        let nameBuffer = unsafe UnsafeBufferPointer(start: name, count: TicketKey.nameCount)
        guard let (key, isNewest) = unsafe self.find(nameBuffer.span) else { return 0 }
        guard unsafe EVP_DecryptInit_ex(cipher, TicketKey.cipher, nil, key.encryption, iv) == 1,
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
        /// So that it has to show its certificate again when the ticket expires.
        case never
        /// Since each is used once, as in TLS 1.3 (RFC 8446 appendix C.4).
        case always
        /// Before the key is forgotten.
        case ofOlderKeys
    }
}
