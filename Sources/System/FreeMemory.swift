internal import CLinux

/// What the allocator keeps for later of what was freed.
package enum FreeMemory {
    /// Gives it back to the system. Takes a while where there is much, and threads that allocate may have to wait for their part of it.
    package static func giveBack() { gateway_return_memory() }
}
