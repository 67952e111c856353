import COpenSSL

/// The memory between libssl and the sockets of one worker. libssl does no I/O of its own.
///
/// All connections of the worker read their ciphertext from here and write their output here, so an idle connection has no
/// buffer. Only one connection works at a time: send or queue `output`, and clear it, before calling another.
@safe public final class TLSIO {
    /// In bytes. A larger output buffer is freed after use.
    static let keptCapacity = 512 * 1024

    /// libssl gets so many records at a time, because it does not return before it has worked through all it was given, unless
    /// it finds data.
    private static let recordsAtATime = 8

    /// The ciphertext to send, of the connection that was called last.
    public private(set) var output: [UInt8] = []

    /// The received ciphertext that libssl has not taken yet.
    ///
    /// Sound: it points into memory that `withInput` borrows, and is empty outside of that call.
    private var window = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)

    /// The records of the connection that is called.
    private(set) var records = RecordCounter()

    /// Holds no memory until a connection has output.
    public init() {}

    /// Calls `body` with `output`, if there is any, and empties it.
    public func drainOutput(_ body: (Span<UInt8>) -> Void) {
        guard !self.output.isEmpty else { return }
        // Moved out and back, to avoid a copy and reference counting.
        var bytes: [UInt8] = []
        swap(&bytes, &self.output)
        body(bytes.span)
        swap(&bytes, &self.output)
        self.clearOutput()
    }

    /// Empties `output`. Its memory is kept for the next bytes, unless it is large.
    public func clearOutput() {
        self.output.removeAll(keepingCapacity: self.output.capacity <= Self.keptCapacity)
    }

    /// Takes `output` out, to be sent later.
    func takeOutput() -> [UInt8] {
        defer { self.clearOutput() }
        // A copy of exact size: the worker keeps the memory of `output`. Sound: it is copied inside the closure.
        return unsafe self.output.withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }

    /// Puts bytes that were taken out in front of `output`.
    func prepend(_ bytes: [UInt8]) { self.output.insert(contentsOf: bytes, at: 0) }

    /// How many bytes of the input libssl has not taken yet.
    var unread: Int { unsafe self.window.count }

    /// Runs `body` with `bytes` as libssl's input.
    ///
    /// - Parameters:
    ///   - records: those of the connection, counted on.
    ///   - body: calls libssl, for one connection only.
    /// - Returns: the value of `body`, and the bytes that libssl did not take.
    func withInput<Result>(
        _ bytes: Span<UInt8>, records: inout RecordCounter, _ body: () -> Result
    ) -> (result: Result, rest: [UInt8]) {
        self.records = records
        defer { records = self.records }
        // Sound: the window is used only inside this closure, which borrows `bytes`.
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe self.window = buffer
            defer { unsafe self.window = UnsafeBufferPointer(start: nil, count: 0) }
            let result = body()
            return unsafe (result, [UInt8](self.window))
        }
    }

    /// Copies input to libssl's memory.
    ///
    /// Sound if `start` has room for `count` bytes, as libssl guarantees.
    ///
    /// - Returns: how many bytes were copied; 0 if none are left.
    fileprivate func read(into start: UnsafeMutableRawPointer, count: Int) -> Int {
        let taken = unsafe self.records.take(self.window, atMost: count, records: Self.recordsAtATime)
        guard taken > 0, let source = unsafe self.window.baseAddress else { return 0 }
        unsafe start.copyMemory(from: source, byteCount: taken)
        unsafe self.window = UnsafeBufferPointer(rebasing: self.window[taken...])
        return taken
    }

    /// Takes output of libssl.
    ///
    /// Sound if `start` holds `count` bytes, as libssl guarantees.
    fileprivate func write(_ start: UnsafeRawPointer, count: Int) {
        unsafe self.output.append(contentsOf: UnsafeRawBufferPointer(start: start, count: count))
    }
}

extension TLSIO {
    /// A new BIO over this memory for one connection; `nil` if memory is exhausted.
    ///
    /// Sound if the connection keeps this object alive as long as its BIO.
    func makeBIO() -> OpaquePointer? {
        guard let bio = unsafe BIO_new(Self.method) else { return nil }
        unsafe BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    /// Sound: `bio` comes from `makeBIO`, so its data is a `TLSIO` that is alive.
    private static func of(_ bio: OpaquePointer?) -> TLSIO {
        unsafe Unmanaged<TLSIO>.fromOpaque(BIO_get_data(bio)!).takeUnretainedValue()
    }

    /// The callbacks for libssl.
    ///
    /// Sound: all threads may share it, as it is complete before its first use and never changed.
    nonisolated(unsafe) private static let method: OpaquePointer = {
        let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "worker memory")!
        // Sound: libssl gives each callback its BIO and the pointers and sizes of its own buffers.
        unsafe BIO_meth_set_read_ex(method) { bio, start, count, taken in
            unsafe shim_BIO_clear_retry_flags(bio)
            guard let start = unsafe start else { return 0 }
            let number = unsafe TLSIO.of(bio).read(into: start, count: count)
            unsafe taken?.pointee = number
            guard number > 0 else {
                unsafe shim_BIO_set_retry_read(bio)
                return 0
            }
            return 1
        }
        unsafe BIO_meth_set_write_ex(method) { bio, start, count, written in
            unsafe shim_BIO_clear_retry_flags(bio)
            guard let start = unsafe start else { return 0 }
            unsafe TLSIO.of(bio).write(start, count: count)
            unsafe written?.pointee = count
            return 1
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in
            // Output is taken at once, so there is nothing to flush. Other commands are not supported.
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
        return unsafe method
    }()
}
