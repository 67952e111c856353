internal import ArgumentParser
internal import Configuration

/// `gateway schema`.
struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON schema of the configuration.",
        discussion: """
            With it editors complete and check gateway.conf. Name the schema in the first line of the file: \
            "# yaml-language-server: $schema=gateway.schema.json".

            EXAMPLE
              gateway schema > gateway.schema.json
            """)

    func run() {
        print(ConfigurationSchema.text, terminator: "")
    }
}
