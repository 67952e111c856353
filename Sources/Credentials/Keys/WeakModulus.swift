/// The fingerprint of RSA keys of a broken generator (ROCA, CVE-2017-15361): the private key follows from the public one.
enum WeakModulus {
    /// A modulus of that generator is a power of 65537 modulo each of these. Of others fewer than one in 100 million are.
    private static let primes = [
        3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
        113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
    ]

    private static let powers = primes.map { prime in
        var powers: Set<Int> = []
        var power = 1
        while powers.insert(power).inserted { power = power * 65537 % prime }
        return powers
    }

    /// - Parameter modulus: in network byte order.
    static func matches(_ modulus: [UInt8]) -> Bool {
        zip(self.primes, self.powers).allSatisfy { prime, powers in
            powers.contains(modulus.reduce(0) { ($0 << 8 | Int($1)) % prime })
        }
    }
}
