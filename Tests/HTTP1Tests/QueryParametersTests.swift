import HTTP1
import Testing

struct QueryParametersTests {
    @Test func `the values of a name are decoded as forms are`() {
        let query = QueryParameters("a=1&b=x%20y+z&%61=%zz&a&A=2&&=3&ab=4")
        #expect(query.values("a") == ["1", "%zz", ""])
        #expect(query.values("b") == ["x y z"])
        #expect(query.values("c") == [])
    }

    @Test(arguments: [
        ("a=1&b=2", "b=2"), ("b=%20&a=1&c=%2B", "b=%20&c=%2B"), ("%61=1&a", ""), ("A=1&ab=2", "A=1&ab=2"), ("", ""),
        ("&&a=1&", "&&"),
    ])
    func `a name is removed, and what is left is as it was`(query: String, rest: String) {
        #expect(QueryParameters(query).removing("a") == rest)
    }
}
