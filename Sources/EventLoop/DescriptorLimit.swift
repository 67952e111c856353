internal import CLinux
internal import Glibc

/// How many descriptors this process may have, and one kept for the moment when there are none left.
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one. Returns the limit in force.
    @discardableResult
    package static func raise() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// A descriptor that stands for one we may need: closed to make room, opened again after.
    package static func openSpare() -> Int32? {
        let descriptor = eventfd(0, Int32(EFD_CLOEXEC))
        return descriptor >= 0 ? descriptor : nil
    }
}
