internal import Admission
internal import System

/// What there is for a request, with the first piece of it.
enum FoundFile: Sendable {
    /// An answer without bytes of a file.
    case answer(FileAnswer)
    /// An answer with bytes of a file.
    ///
    /// - file: to read the rest from; `nil` if the piece is all.
    case file(FileAnswer, OpenFile?, piece: [UInt8])
    /// The reason is for the log.
    case failed(String, isShortage: Bool)

    /// Looks for the file, decides on the answer and reads the first piece. Blocks for as long as the file system does.
    ///
    /// - Parameter most: the most bytes of the piece.
    init(for request: FileRequest, in folders: Folders, most: Int) {
        self.init(Search(request, WaitingOpener(folders: folders)).find(), for: request, most: most)
    }

    /// Looks for the file and decides on the answer, without waiting. No piece is read. Throws if a thread has to do it.
    init(cachedFor request: FileRequest, in files: WorkerFiles) throws(NotCached) {
        files.makeRoom()
        self.init(try Search(request, CachedOpener(files: files)).find(), for: request, most: 0)
    }

    private init(_ result: SearchResult, for request: FileRequest, most: Int) {
        switch result {
        case .folder: self = .answer(request.folderAnswer)
        case .absent: self = .answer(request.absentAnswer)
        case .denied: self = .answer(request.deniedAnswer)
        case .failed(let error): self = .failed("\(error)", isShortage: error.isShortage)
        case .file(let file, let facts):
            let answer = request.answer(facts)
            guard case .file(let range) = answer.body else {
                self = .answer(answer)
                return
            }
            let count = min(range.count, most)
            do throws(SystemError) {
                let piece = try file.read(at: range.lowerBound, count: count)
                self =
                    piece.count == count
                    ? .file(answer, count < range.count ? file : nil, piece: piece)
                    : .failed("it has become shorter", isShortage: false)
            } catch {
                self = .failed("\(error)", isShortage: false)
            }
        }
    }
}

private enum SearchResult {
    case file(OpenFile, FileFacts)
    case folder
    case absent
    case denied
    case failed(SystemError)
}

/// Looks for the file that a request asks for.
private struct Search<Opener: FileOpener> {
    private let request: FileRequest
    private let opener: Opener

    init(_ request: FileRequest, _ opener: Opener) {
        self.request = request
        self.opener = opener
    }

    func find() throws(Opener.Failure) -> SearchResult {
        switch self.request.place {
        case .hidden: return .absent
        case .file(let path):
            let name = Array(path.utf8)
            switch try self.opener.open(path) {
            // The path leads to nothing below it.
            case .folder: return .absent
            case let opening:
                return try self.result(opening, name) { coding throws(Opener.Failure) in
                    try self.opener.open(path + coding.suffix)
                }
            }
        case .below(let path, let name):
            switch try self.opener.folder(path) {
            case .success(let folder): return try self.find(name, below: folder)
            case .failure(let error): return error.isAbsence ? .absent : error.isDenied ? .denied : .failed(error)
            }
        }
    }

    private func find(_ name: FileName, below folder: Folder) throws(Opener.Failure) -> SearchResult {
        func result(_ name: [UInt8]) throws(Opener.Failure) -> SearchResult {
            try self.result(try self.opener.open(name, below: folder), name) { coding throws(Opener.Failure) in
                try self.opener.open(name + coding.suffix.utf8, below: folder)
            }
        }
        var found = try result(name.isFolder ? name.index : name.bytes)
        if name.isFolder, case .folder = found { found = .absent }
        guard case .absent = found, let fallback = self.request.fallback else { return found }
        found = try result(fallback.bytes)
        if case .folder = found { return .absent }
        return found
    }

    /// The file, or the best of what lies beside it in another coding.
    private func result(
        _ opening: OpenFile.Opening, _ name: [UInt8],
        beside: (ContentCoding) throws(Opener.Failure) -> OpenFile.Opening
    ) throws(Opener.Failure) -> SearchResult {
        switch opening {
        case .folder: return .folder
        case .absent: return .absent
        case .denied: return .denied
        case .failed(let error): return .failed(error)
        case .file(let file):
            var coded: [ContentCoding: OpenFile] = [:]
            for coding in ContentCoding.allCases {
                if case .file(let other) = try beside(coding) { coded[coding] = other }
            }
            let best = self.request.codings.first { coded[$0] != nil }
            let sent = best.flatMap { coded[$0] } ?? file
            return .file(sent, self.facts(of: sent, name, best, hasCodings: !coded.isEmpty))
        }
    }

    private func facts(of file: OpenFile, _ name: [UInt8], _ coding: ContentCoding?, hasCodings: Bool) -> FileFacts {
        let facts = file.facts
        return FileFacts(
            name: name, size: facts.size, modified: facts.modified, nanoseconds: facts.nanoseconds,
            modifiedText: WallClock.httpDate(upToNow: facts.modified), coding: coding, hasCodings: hasCodings)
    }
}
