internal import HTTP1

extension CheckedRequest {
    /// It asks for a page, as a browser does that shows what it gets.
    var wantsPage: Bool {
        self.head.fields.elements("Accept").contains { element in
            let (type, weight) = ContentCoding.weighted(element)
            return type == "text/html" && weight > 0
        }
    }
}
