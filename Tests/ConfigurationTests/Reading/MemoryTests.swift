import Configuration
import Testing

/// `memory`, and the warning where it is little.
struct MemoryTests {
    private static func reading(
        _ memory: String, message: String = "1MiB", automaticMemory: Int? = nil
    ) throws -> GatewayConfiguration {
        let text = """
            listeners: [{address: ":0"}]
            \(memory)
            routes:
              - {path: /small, backend: b}
              - {path: /large, backend: b, limits: {message: \(message)}}
              - {path: /, page: console}
            backends: {b: {builtin: echo}}
            """
        return try ConfigurationReader.read(
            text: text, file: "gateway.conf", environment: [:], automaticMemory: automaticMemory)
    }

    @Test(arguments: [("", nil), ("memory: auto", nil), ("memory: 64MiB", 64 << 20), ("memory: 1048576", 1 << 20)])
    func `memory is a size, or left to the gateway`(text: String, expected: Int?) throws {
        #expect(try Self.reading(text, message: "1KiB").memory?.rawValue == expected)
    }

    @Test(arguments: ["0", "off", "1KiB", "a lot", "64MB"])
    func `what is not a size is a mistake`(text: String) {
        #expect(throws: ConfigurationReader.Failure.self) { try Self.reading("memory: \(text)") }
    }

    @Test func `memory for four of the largest messages is enough`() throws {
        #expect(try Self.reading("memory: 64MiB", message: "16MiB").warnings.isEmpty)
        #expect(try Self.reading("memory: auto", message: "16MiB", automaticMemory: 64 << 20).warnings.isEmpty)
        #expect(try Self.reading("memory: auto", message: "16MiB").warnings.isEmpty)
    }

    @Test func `less memory is a warning at its place, and not a mistake`() throws {
        let configuration = try Self.reading("memory: 63MiB", message: "16MiB")
        #expect(configuration.memory == .mebibytes(63))
        #expect(
            configuration.warnings.map(\.description) == [
                "gateway.conf:2:1: `memory` is `63MiB`, less than four times the `16MiB` that `limits.message` allows "
                    + "on route `/large`"
            ])
    }

    @Test func `the warning also looks at what auto stands for`() throws {
        let warnings = try Self.reading("", message: "16MiB", automaticMemory: 32 << 20).warnings
        #expect(warnings.map(\.position) == [Diagnostic.Position(line: 1, column: 1)])
        #expect(warnings.first?.message.hasPrefix("`memory` is `32MiB`, less than") == true)
    }
}
