/// What the memory that `memory` bounds is used for. The raw values are labels of the metric.
public enum MemoryKind: String, CaseIterable, Sendable {
    /// Bytes that peers have not accepted yet.
    case queued
    /// Messages and heads that are incomplete, or not read yet.
    case assembled
    /// Messages of rooms that are on their way to another worker.
    case mailbox
}
