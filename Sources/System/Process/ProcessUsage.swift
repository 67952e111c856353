internal import Glibc

/// The resources that this process uses, as far as they are cheap to find.
public struct ProcessUsage: Equatable, Sendable {
    /// Resident memory.
    public var residentBytes: Int?
    /// Processor time of all threads, in user space and in the kernel.
    public var processorTime: Duration
    /// `nil` before Linux 6.2, where descriptors would have to be counted one by one.
    public var openDescriptors: Int?

    /// `nil` is what the system does not tell.
    public init(residentBytes: Int?, processorTime: Duration, openDescriptors: Int?) {
        self.residentBytes = residentBytes
        self.processorTime = processorTime
        self.openDescriptors = openDescriptors
    }

    /// The current usage.
    public static func now() -> ProcessUsage {
        var usage = rusage()
        // The kernel writes this one record.
        unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
        let time = [usage.ru_utime, usage.ru_stime].reduce(Duration.zero) {
            $0 + .seconds(Int64($1.tv_sec)) + .microseconds(Int64($1.tv_usec))
        }
        return ProcessUsage(
            residentBytes: Self.residentBytes(), processorTime: time, openDescriptors: Self.openDescriptors())
    }

    /// The second number of /proc/self/statm, in pages (proc(5)).
    private static func residentBytes() -> Int? {
        guard let contents = try? FileContents.read("/proc/self/statm") else { return nil }
        let numbers = contents.split(separator: UInt8(ascii: " "))
        guard numbers.count > 1, let pages = Int(String(decoding: numbers[1], as: UTF8.self)) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// The number of open descriptors: the size of the directory /proc/self/fd. `nil` before Linux 6.2, where that is 0.
    public static func openDescriptors() -> Int? {
        var status = stat()
        // The kernel writes this one record.
        guard unsafe stat("/proc/self/fd", &status) == 0, status.st_size > 0 else { return nil }
        return Int(status.st_size)
    }
}
