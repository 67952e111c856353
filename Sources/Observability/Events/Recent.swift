internal import DequeModule

/// The last of many, up to a limit. The memory grows with what there is.
struct Recent<Element> {
    private let limit: Int
    private var elements = Deque<Element>()

    init(limit: Int) { self.limit = limit }

    var newestFirst: [Element] { self.elements.reversed() }

    mutating func add(_ element: Element) {
        if self.elements.count == self.limit { self.elements.removeFirst() }
        self.elements.append(element)
    }
}
