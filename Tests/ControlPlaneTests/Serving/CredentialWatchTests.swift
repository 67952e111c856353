import Synchronization
import System
import TestSupport
import Testing

@testable import Configuration
@testable import ControlPlane
@testable import Credentials
@testable import DataPlane

/// Files of users that change while the process lacks what it needs to read them.
@Suite struct CredentialWatchTests {
    private static func users(_ name: String) -> String {
        "\(name):$2b$04$abcdefghijklmnopqrstuuyvPXIbu7xe6/CED2DzX8z6Si09MlzlW\n"
    }

    @Test func `a file that could not be read is read later, although it does not change again`() throws {
        try SyscallFaults.exclusively {
            let files = Shortage()
            let path = temporaryPath(".users")
            try write(Self.users("ann"), to: path)
            var settings = GatewayConfiguration.serving([.echo])
            settings.routes[0].auth = [.basic(BasicSettings(file: path))]
            settings.log.file = temporaryPath(".log")
            settings.log.format = .json
            let log = settings.log.file ?? ""
            defer { for file in [path, log] { removeFile(file) } }
            let gateway = try Gateway(settings, fileAccess: files.access)
            func mayComeIn(_ name: String) -> Bool {
                gateway.serving.credentials.contents.users[path]?.hash(of: name) != nil
            }
            gateway.credentials.start()
            #expect(mayComeIn("ann"))

            files.isShort.store(true, ordering: .relaxed)
            let before = files.reads.load(ordering: .relaxed)
            try write(Self.users("bob"), to: path)
            try self.turn(gateway) { files.reads.load(ordering: .relaxed) >= before + 3 }
            #expect(mayComeIn("ann") && !mayComeIn("bob"))

            files.isShort.store(false, ordering: .relaxed)
            try self.turn(gateway) { mayComeIn("bob") }
            #expect(!mayComeIn("ann"))
            gateway.terminate()
            gateway.run()
            // It was said once, however often it was tried.
            let refused = try LogLine.all(FileContents.read(log)).filter { $0.event == "credentials-refused" }
            #expect(refused.count == 1)
            #expect(refused.first?[text: "reason"]?.contains("Too many open files") == true)
        }
    }

    /// Turns the loop of this gateway: the test is its control thread.
    private func turn(_ gateway: Gateway, until isDone: () -> Bool) throws {
        let end = MonotonicInstant.now() + .seconds(30)
        while !isDone() {
            try #require(.now() < end, "nothing happens any more")
            gateway.loop.turn(waitingAtMost: .seconds(1))
        }
    }
}
