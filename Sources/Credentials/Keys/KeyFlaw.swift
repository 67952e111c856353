/// Why a key of a set cannot be used.
struct KeyFlaw: Error, Equatable {
    /// The end of a sentence that begins with the key.
    let problem: String

    init(_ problem: String) {
        self.problem = problem
    }
}
