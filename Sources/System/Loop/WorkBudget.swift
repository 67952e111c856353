/// The work that a turn of the loop may do. It bounds how long one client can delay the others.
///
/// A unit is what a release build does in about a nanosecond. Handlers know the cost of their steps, and report it. No clock is
/// read, so the work in a turn depends only on its input, and not on what else the machine does.
///
/// A turn is divided into shares. A handler stops at the first step after its share is used up, so a turn can exceed its budget
/// by one share and one step.
public struct WorkBudget: Hashable, Sendable {
    /// The units of a turn: about 2 ms.
    public static let turn = 2_000_000
    /// The share of a handler with a new event: enough for a few hundred messages, but not for a flood. It is short because all
    /// handlers in a batch can have events.
    public static let shortShare = 60_000
    /// The share of a handler that did not finish: long enough to make the cost of switching between handlers negligible.
    public static let longShare = 250_000

    /// The units that are left of this turn.
    public var left = WorkBudget.turn
    /// The value of `left` at which the current share is used up.
    public var end = WorkBudget.turn - WorkBudget.shortShare

    /// A whole turn, in which a short share has begun.
    public init() {}

    /// No other handler begins in this turn.
    @inlinable
    public var isSpent: Bool { self.left <= 0 }

    /// Work that can wait should be left to the next turn.
    @inlinable
    public var isHalfSpent: Bool { self.left <= Self.turn / 2 }

    /// The current handler must let others go on.
    @inlinable
    public var isShareSpent: Bool { self.left <= self.end }

    /// The units that are left of the current share. At least 0.
    @inlinable
    public var shareLeft: Int { max(0, self.left - self.end) }

    /// Begins a turn with all units.
    public mutating func beginTurn() { self.left = Self.turn }

    /// Begins a handler's share. It is not shortened if less is left of the turn.
    @inlinable
    public mutating func beginShare(_ units: Int) { self.end = self.left - units }

    /// Reports work.
    ///
    /// - Parameter units: the cost of what was done, or is about to be.
    @inlinable
    public mutating func spend(_ units: Int) { self.left -= units }
}
