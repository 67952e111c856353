/// The one of several routes that stands first in the file.
struct FirstRoute {
    private(set) var index: Int?

    init(_ index: Int?) { self.index = index }

    mutating func take(_ other: Int?) {
        guard let other else { return }
        self.index = min(self.index ?? other, other)
    }
}
