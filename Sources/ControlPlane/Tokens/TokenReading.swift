internal import DataPlane
internal import System
internal import TLS

/// What was made of the files of tokens, on the thread that read them.
struct TokenReading: Sendable {
    let table: TokenTable
    let flaws: [TokenLines.Flaw]
    let stamps: FolderContents.Stamps
    /// The process lacked what it needs to read a file, such as a descriptor: that says nothing of the file.
    let isShort: Bool
    /// A hash of the contents of all files.
    let digest: [UInt8]
    /// The endpoints that the table until now did not have.
    let added: [Endpoint]
    /// The endpoints that only the table until now had.
    let removed: [Endpoint]

    /// - Parameter previous: the table until now.
    init(_ contents: FolderContents, replacing previous: TokenTable?) {
        let lines = TokenLines(contents)
        let table = TokenTable(lines, replacing: previous)
        let old = previous?.endpoints ?? []
        self.table = table
        self.flaws = lines.flaws
        self.stamps = contents.stamps
        self.isShort = contents.members.contains { member in
            if case .failure(.system(let error)) = member.contents { error.isShortage } else { false }
        }
        self.digest = Digest.sha256(contents.members.flatMap { Self.digest(of: $0) })
        self.added = Self.endpoints(table.endpoints, without: old)
        self.removed = Self.endpoints(old, without: table.endpoints)
    }

    private static func endpoints(_ all: [Endpoint], without others: [Endpoint]) -> [Endpoint] {
        let ids = Set(others.map { ObjectIdentifier($0) })
        return all.filter { !ids.contains(ObjectIdentifier($0)) }
    }

    private static func digest(of member: FolderContents.Member) -> [UInt8] {
        let contents = Digest.sha256((try? member.contents.get()) ?? [])
        return Digest.sha256(Array("\(member.path)\n".utf8)) + contents
    }
}
