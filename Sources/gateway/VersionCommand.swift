internal import ArgumentParser

/// `gateway version`.
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Print the version.",
        discussion: """
            EXAMPLE
              gateway version
            """)

    func run() {
        print("gateway \(Version.current)")
    }
}
