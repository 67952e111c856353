internal import ArgumentParser
internal import Configuration

/// `gateway schema`.
struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON schema of the configuration.",
        discussion: """
            Editors complete and check gateway.conf with it. A first line names the file, as in \
            "# yaml-language-server: $schema=gateway.schema.json".

            EXAMPLE
              gateway schema > gateway.schema.json
            """)

    func run() {
        print(ConfigurationSchema.text, terminator: "")
    }
}
