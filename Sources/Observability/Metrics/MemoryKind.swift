/// What bounded memory is used for; the metric has the same words.
public enum MemoryKind: String, CaseIterable, Sendable {
    /// Bytes that peers have not taken yet.
    case queued
    /// Messages and heads that are incomplete or not read yet.
    case assembled
    /// Messages of rooms on their way to another worker.
    case mailbox
}
