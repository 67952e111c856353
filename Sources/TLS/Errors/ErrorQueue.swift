import COpenSSL

/// OpenSSL's error queue of the calling thread. It is empty before each call that may fail, and emptied after one that did.
enum ErrorQueue {
    /// One error.
    struct Entry: Hashable {
        let isSSL: Bool
        let reason: Int32
        let text: String
    }

    /// Removes errors of earlier calls, so that they are not taken for failures of the next one.
    static func clear() {
        // Clearing goes through all 16 places of the queue, which costs half as much as a record. Looking costs nothing.
        if !self.isEmpty { ERR_clear_error() }
    }

    static var isEmpty: Bool { ERR_peek_error() == 0 }

    /// The reason of the newest entry, if it comes from the PEM reader.
    static var newestPEMReason: Int32? {
        let code = ERR_peek_last_error()
        return ERR_GET_LIB(code) == ERR_LIB_PEM ? ERR_GET_REASON(code) : nil
    }

    /// Empties the queue, and returns its entries, each text once. The oldest, which is the cause, comes first.
    static func drain() -> [Entry] {
        var entries: [Entry] = []
        while true {
            var data: UnsafePointer<CChar>?
            var flags: Int32 = 0
            // Sound: the pointers to our variables last as long as the call. `data` belongs to the queue's entry and is copied
            // before the queue can wrap around.
            let code = unsafe ERR_get_error_all(nil, nil, nil, &data, &flags)
            guard code != 0 else { return entries }
            let reason = ERR_GET_REASON(code)
            // Sound: a constant string of libcrypto, or nil.
            var text = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "error \(reason)"
            if flags & ERR_TXT_STRING != 0, let data = unsafe data, unsafe data.pointee != 0 {
                text += unsafe " (\(String(cString: data)))"
            }
            if !entries.contains(where: { $0.text == text }) {
                entries.append(Entry(isSSL: ERR_GET_LIB(code) == ERR_LIB_SSL, reason: reason, text: text))
            }
        }
    }
}
