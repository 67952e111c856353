/// The first of many, in their order, without keeping all of them.
struct FirstOnes<Element> {
    private let limit: Int
    private let areInOrder: (Element, Element) -> Bool
    private var kept: [Element] = []
    /// One that is not among the first.
    private(set) var hasMore = false

    init(_ limit: Int, by areInOrder: @escaping (Element, Element) -> Bool) {
        self.limit = limit
        self.areInOrder = areInOrder
    }

    mutating func add(_ element: Element) {
        self.kept.append(element)
        // Sorted when there are twice as many, so that each costs little.
        if self.kept.count >= 2 * self.limit { self.trim() }
    }

    /// The first ones, in their order.
    mutating func take() -> [Element] {
        self.trim()
        defer { self.kept = [] }
        return self.kept
    }

    private mutating func trim() {
        self.kept.sort(by: self.areInOrder)
        guard self.kept.count > self.limit else { return }
        self.hasMore = true
        self.kept.removeLast(self.kept.count - self.limit)
    }
}
