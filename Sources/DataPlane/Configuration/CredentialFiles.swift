public import Configuration
public import Credentials
public import System
public import TLS

/// The files with the keys and users that routes and the admin address verify credentials with, and those with the authorities of servers
/// that have keys. They are read once for all workers.
public struct CredentialFiles: Sendable {
    /// What is in them.
    public private(set) var contents = KeysAndUsers()
    /// The authorities, by the path of their file.
    public private(set) var authorities: [String: TrustedAuthorities] = [:]
    /// When they were read: to notice a change.
    public private(set) var stamps: [String: FileStamp?] = [:]
    /// What is left out of them, a line each.
    public private(set) var warnings: [String] = []

    /// Reads their contents.
    ///
    /// - Parameter files: those of `paths(of:)`.
    /// - Throws: all that is wrong with them, with the place and the cure, in one line.
    public init(_ configuration: GatewayConfiguration, _ files: FileSet) throws(StartError) {
        var problems: [String] = []
        self.init(configuration, files, &problems)
        guard problems.isEmpty else { throw StartError(problems.joined(separator: "; ")) }
    }

    private init(_ configuration: GatewayConfiguration, _ files: FileSet, _ problems: inout [String]) {
        self.stamps = files.stamps
        var read: Set<Source> = []
        for (user, source) in Self.sources(of: configuration) {
            let path = source.path
            guard read.insert(source).inserted else { continue }
            let place = "\(user): \(path)"
            let bytes: [UInt8]
            do throws(FileError) { bytes = try files.contents(of: path) } catch {
                problems.append("\(place): cannot be read: \(error)")
                continue
            }
            switch source {
            case .keys:
                do throws(KeySet.Mistake) {
                    let keys = try KeySet(parsing: bytes, from: .file)
                    self.contents.keys[.file(path)] = keys
                    self.warnings += keys.warnings.map { "\(place): \($0)" }
                } catch {
                    problems.append("\(place): it \(error)")
                }
            case .users:
                do throws(PasswordFile.Failure) {
                    self.contents.users[path] = try PasswordFile(parsing: bytes)
                } catch {
                    problems += error.mistakes.map { "\(place): \($0)" }
                }
            case .authorities:
                do throws(TLSError) {
                    self.authorities[path] = try TrustedAuthorities(pem: bytes, name: path)
                } catch {
                    problems.append("\(user): \(error)")
                }
            }
        }
    }

    /// The files that a configuration names, each once, in order of use.
    public static func paths(of configuration: GatewayConfiguration) -> [String] {
        var seen: Set<String> = []
        return self.sources(of: configuration).map(\.source.path).filter { seen.insert($0).inserted }
    }

    /// Checks all of them for `gateway check`. Reading blocks for as long as it would in a gateway.
    ///
    /// - Returns: a line for each mistake, and for each thing that is allowed but probably not meant.
    public static func findings(
        in configuration: GatewayConfiguration
    ) -> (problems: [String], warnings: [String]) {
        var problems: [String] = []
        do throws(SystemError) {
            let files = CredentialFiles(
                configuration, try FileReader.readNow(self.paths(of: configuration)), &problems)
            return (problems, files.warnings)
        } catch {
            return (["\(error)"], [])
        }
    }

    private enum Source: Hashable {
        case keys(String)
        case users(String)
        case authorities(String)

        var path: String {
            switch self {
            case .keys(let path), .users(let path), .authorities(let path): path
            }
        }
    }

    /// - Returns: each with what uses it.
    private static func sources(of configuration: GatewayConfiguration) -> [(user: String, source: Source)] {
        let ofAdmin = configuration.admin?.auth.map { [("admin", Source.users($0.file))] } ?? []
        return ofAdmin
            + configuration.routes.flatMap { route in
                route.auth.compactMap { kind -> Source? in
                    switch kind {
                    case .jwt(let settings):
                        switch settings.keys {
                        case .file(let path): .keys(path)
                        case .url(_, let ca): ca.map { .authorities($0) }
                        }
                    case .basic(let settings): .users(settings.file)
                    case .forward, .certificate: nil
                    }
                }.map { ("route \(route.name)", $0) }
            }
    }
}
