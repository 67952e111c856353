internal import Glibc
internal import System

/// Ends the run, because the figures cannot be trusted after this.
func fail(_ message: String) -> Never {
    _ = OutputFile.standardError.append(Array("gateway-load: \(message)\n".utf8))
    exit(1)
}
