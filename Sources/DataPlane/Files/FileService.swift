public import Configuration
public import System

/// What all workers share to serve files: the threads that open and read them, and the folders that are open.
public final class FileService: Sendable {
    let threads: CallThreads
    let folders = Folders()

    /// How many files are opened or read at a time. A disk has no use for many more, and one that hangs must not cost more.
    private static let mostThreads = 4

    /// No thread runs before the first file is asked for. Throws if the system has no descriptor to wake them.
    public init() throws(SystemError) {
        self.threads = try CallThreads("gateway-files", most: Self.mostThreads)
    }
}

extension FileService {
    /// Checks that what routes serve is there, for `gateway check`. Blocks for as long as it would in a gateway.
    ///
    /// - Returns: a line for each that is not.
    public static func problems(in configuration: GatewayConfiguration) -> [String] {
        configuration.routes.compactMap { route in
            guard case .files(let files, _) = route.action, let reason = self.problem(of: files, on: route.path) else {
                return nil
            }
            return "route \(route.name): cannot serve \(files.path): \(reason)"
        }
    }

    private static func problem(of files: FilesSettings, on path: PathPattern) -> String? {
        guard case .exact = path else {
            do throws(SystemError) { _ = try Folder(files.path) } catch { return error.reason }
            return nil
        }
        return switch OpenFile.open(files.path) {
        case .file: nil
        case .folder: "it is a directory: the path must end with `/*`"
        case .absent: "there is no such file"
        case .denied: "it may not be read"
        case .failed(let error): error.reason
        }
    }
}
