internal import Glibc
internal import System

/// Ends the run: something happened that the figures cannot be trusted after.
func fail(_ message: String) -> Never {
    _ = OutputFile.standardError.append(Array("gateway-load: \(message)\n".utf8))
    exit(1)
}
