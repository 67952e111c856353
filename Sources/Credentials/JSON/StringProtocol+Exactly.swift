extension StringProtocol {
    /// Whether both have the same bytes. `==` takes texts for equal that Unicode calls so, and a credential must not (RFC 7515 section 5.3,
    /// RFC 8259 section 8.3).
    func isExactly(_ other: some StringProtocol) -> Bool { self.utf8.elementsEqual(other.utf8) }
}
