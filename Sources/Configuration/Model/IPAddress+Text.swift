extension IPAddress {
    package var description: String { "" }
}
