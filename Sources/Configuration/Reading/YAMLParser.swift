internal import CYAML

/// Reads a YAML text with libyaml, one event after the other: what is written, and where lists and mappings begin and end.
@safe struct YAMLParser: ~Copyable {
    /// What comes next, and where it begins.
    struct Event {
        enum Kind {
            case documentBegins
            case documentEnds
            /// There are no more documents.
            case streamEnds
            /// - isPlain: it is written without quotes and not as a block.
            case scalar(String, isPlain: Bool)
            case listBegins
            case mappingBegins
            /// The list or mapping that began last and has not ended.
            case ends
            /// It stands for what has the anchor of this name.
            case alias(String)
        }

        let position: Diagnostic.Position
        let kind: Kind
        /// The name after `&`.
        let anchor: String?
        /// The tag that is written, as a whole.
        let tag: String?
    }

    // libyaml reads the copy of the text as long as its parser lives. Both are ours alone, and are freed together.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let text: UnsafeMutableBufferPointer<UInt8>

    init(_ text: String) {
        unsafe self.parser = .allocate(capacity: 1)
        unsafe yaml_parser_initialize(self.parser)
        unsafe self.text = .allocate(capacity: text.utf8.count)
        _ = unsafe self.text.initialize(from: text.utf8)
        unsafe yaml_parser_set_encoding(self.parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(self.parser, self.text.baseAddress, self.text.count)
    }

    deinit {
        unsafe yaml_parser_delete(self.parser)
        unsafe self.parser.deallocate()
        unsafe self.text.deallocate()
    }

    /// - Throws: what is not YAML. Then nothing more can be read.
    func next() throws(SyntaxMistake) -> Event {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(self.parser, &event) == 1 else { throw self.mistake }
        // The event owns its texts, which are copied before it ends.
        defer { unsafe yaml_event_delete(&event) }
        if unsafe event.type == YAML_STREAM_START_EVENT { return try self.next() }
        return unsafe Event(event)
    }

    private var mistake: SyntaxMistake {
        let parser = unsafe self.parser.pointee
        let problem = unsafe yamlText(parser.problem) ?? "it cannot be read"
        guard let context = unsafe yamlText(parser.context) else {
            return unsafe SyntaxMistake(problem, at: Diagnostic.Position(parser.problem_mark))
        }
        return unsafe SyntaxMistake(
            problem, at: Diagnostic.Position(parser.problem_mark), context,
            begun: Diagnostic.Position(parser.context_mark))
    }
}

extension YAMLParser.Event {
    /// Copies what libyaml has read.
    fileprivate init(_ event: yaml_event_t) {
        unsafe self.position = Diagnostic.Position(event.start_mark)
        var properties: (anchor: String?, tag: String?) = (nil, nil)
        switch unsafe event.type {
        case YAML_DOCUMENT_START_EVENT: self.kind = .documentBegins
        case YAML_DOCUMENT_END_EVENT: self.kind = .documentEnds
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let text = unsafe String(
                decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            self.kind = unsafe .scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
            let tag = unsafe scalar.quoted_implicit == 1 ? nil : yamlText(scalar.tag)
            properties = unsafe (yamlText(scalar.anchor), tag)
        case YAML_SEQUENCE_START_EVENT:
            self.kind = .listBegins
            properties = unsafe (yamlText(event.data.sequence_start.anchor), yamlText(event.data.sequence_start.tag))
        case YAML_MAPPING_START_EVENT:
            self.kind = .mappingBegins
            properties = unsafe (yamlText(event.data.mapping_start.anchor), yamlText(event.data.mapping_start.tag))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: self.kind = .ends
        case YAML_ALIAS_EVENT: self.kind = unsafe .alias(yamlText(event.data.alias.anchor) ?? "")
        default: self.kind = .streamEnds
        }
        (self.anchor, self.tag) = properties
    }
}

extension Diagnostic.Position {
    /// libyaml counts from 0.
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: mark.line + 1, column: mark.column + 1)
    }
}

/// A copy of a text that ends in a zero byte.
private func yamlText<Byte: FixedWidthInteger>(_ start: UnsafePointer<Byte>?) -> String? {
    guard var end = unsafe start else { return nil }
    var bytes: [UInt8] = []
    while unsafe end.pointee != 0 {
        unsafe bytes.append(UInt8(truncatingIfNeeded: end.pointee))
        unsafe end += 1
    }
    return String(decoding: bytes, as: UTF8.self)
}
