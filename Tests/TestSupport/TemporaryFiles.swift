internal import Glibc

/// A path that is not in use, below the directory for temporary files.
public func temporaryPath(_ suffix: String) -> String {
    let number = UInt64.random(in: .min ... .max)
    return "/tmp/gateway-test-\(getpid())-\(String(number, radix: 16))\(suffix)"
}

/// Removes a file, if it is there.
public func removeFile(_ path: String) { _ = unsafe unlink(path) }

/// Makes a file with this text, in place of one that is there.
public func write(_ text: String, to path: String) throws {
    guard let file = unsafe fopen(path, "w") else { throw CannotWrite(path: path) }
    unsafe fputs(text, file)
    unsafe fclose(file)
}

private struct CannotWrite: Error {
    let path: String
}
