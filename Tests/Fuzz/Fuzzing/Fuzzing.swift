internal import CLibFuzzer
internal import Glibc

/// What to do with each input. Set once, before libFuzzer, which is single-threaded, starts.
nonisolated(unsafe) private var target: ([UInt8]) -> Void = { _ in }

/// Runs `body` on libFuzzer's inputs as the command line says, then ends the process. A trap in it is a finding.
public func fuzz(_ body: @escaping ([UInt8]) -> Void) -> Never {
    unsafe target = body
    var count = CommandLine.argc
    // libFuzzer may replace this array by another one. Both live as long as the process.
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
    let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
        // `data` is `size` bytes that live until this returns; they are copied at once.
        unsafe target(Array(UnsafeBufferPointer(start: data, count: size)))
        return 0
    }
    exit(status)
}

/// Ends the program with `message` where `condition` does not hold; unlike `precondition`, with its message in release.
public func expect(
    _ condition: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !condition { fatalError(message(), file: file, line: line) }
}
