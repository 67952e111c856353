internal import CLibFuzzer
internal import Glibc

/// What is done with each input. Set once, before libFuzzer, which is single-threaded, is started.
nonisolated(unsafe) private var target: ([UInt8]) -> Void = { _ in }

/// Runs `body` on libFuzzer's inputs, as the command line says, and ends the program. A trap in it is a finding.
public func fuzz(_ body: @escaping ([UInt8]) -> Void) -> Never {
    unsafe target = body
    var count = CommandLine.argc
    // libFuzzer may put another array in place of this one; that lives as long as the process, as this one does.
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
    let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
        // `data` is `size` bytes that live until this returns; the buffer is copied from at once.
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
