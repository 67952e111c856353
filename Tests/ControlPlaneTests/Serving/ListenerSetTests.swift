import Configuration
import Foundation
import System
import Testing

@testable import ControlPlane
@testable import DataPlane
@testable import Takeover

struct ListenerSetTests {
    @Test func `a start that fails leaves the file of a socket that was handed over`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "gateway-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/gateway.sock"
        let running = try Kernel.listen(.unix(path: path), sharedByWorkers: false)
        defer { Kernel.close(running) }
        let settings = [
            ListenerSettings(address: .unix(path: path)),
            ListenerSettings(address: .unix(path: folder + "/none/gateway.sock")),
        ]
        #expect(throws: StartError.self) {
            let source = SocketSource(take: { $0 == .unix(path: path) ? [Kernel.duplicate(running)] : [] })
            _ = try ListenerSet(workers: 1).prepare(settings, from: source)
        }
        #expect(FileManager.default.fileExists(atPath: path))
    }
}
