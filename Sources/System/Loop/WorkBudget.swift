/// How much a turn of the loop may do, counted in what costs: nothing that one client sends keeps the others of its loop waiting for
/// longer than that.
///
/// Whoever works says what it did. Nobody looks at a clock, so that what is done in a turn depends on what came, and not on what else
/// the machine has to do. A unit is what a release build does in about a nanosecond; those who work know what their steps cost.
///
/// A turn is dealt out in shares. One that is used up ends at the next step, so that a turn takes longer than its budget by what one
/// share and one step cost.
package struct WorkBudget: Hashable, Sendable {
    /// What a turn may do: about 2 ms.
    package static let turn = 2_000_000
    /// What somebody with news may do before it is put in line: a message or a few hundred of them, but no flood. It is short, because
    /// everybody in a batch of events can have news.
    package static let shortShare = 60_000
    /// What somebody in that line may do when its turn comes: so much that going from one to the next costs nothing to speak of.
    package static let longShare = 250_000

    /// Units that are left of this turn.
    @usableFromInline
    package var left = WorkBudget.turn
    /// What is left of the turn when the share of whoever works is used up.
    @usableFromInline
    package var end = WorkBudget.turn - WorkBudget.shortShare

    package init() {}

    /// Nobody new begins in this turn.
    @inlinable
    package var isSpent: Bool { self.left <= 0 }

    /// What can wait is left to those who come later in this turn, or to the next.
    @inlinable
    package var isHalfSpent: Bool { self.left <= Self.turn / 2 }

    /// Whoever works has to let the others go on.
    @inlinable
    package var isShareSpent: Bool { self.left <= self.end }

    /// What is left for whoever works; at least 0.
    @inlinable
    package var shareLeft: Int { max(0, self.left - self.end) }

    package mutating func beginTurn() { self.left = Self.turn }

    /// Somebody begins. It gets the whole share, also where less is left of the turn.
    @inlinable
    package mutating func beginShare(_ units: Int) { self.end = self.left - units }

    /// - Parameter units: of what was done, or is about to be.
    @inlinable
    package mutating func spend(_ units: Int) { self.left -= units }
}
