public import Configuration
internal import HTTP1

/// Decides what a client certificate is worth by the rules of a route. It is verified already.
public struct CertificateCheck: Sendable {
    private let settings: CertificateSettings

    /// - Parameter settings: `certificate` of the route.
    public init(_ settings: CertificateSettings) {
        self.settings = settings
    }

    /// What a certificate is worth. Without `names` each is good.
    public func verdict(on identity: CertificateIdentity) -> Verdict {
        let names = identity.names
        let matching = self.settings.names.isEmpty ? names.first : names.first(where: self.isWanted)
        guard matching != nil || self.settings.names.isEmpty else {
            return .forbidden("no name of the certificate is one of the route's")
        }
        var fields = HTTPFields()
        for field in self.settings.send {
            let value =
                switch field.source {
                case .subject: identity.subject
                case .name: matching?.text
                }
            guard let value else { continue }
            if let flaw = FieldValue.flaw(of: value) { return .refused(.malformed("the certificate's name \(flaw)")) }
            fields.append(field.name, utf8: value)
        }
        return .granted(Grant(subject: matching?.text ?? identity.subject, fields: fields))
    }

    private func isWanted(_ name: CertificateIdentity.Name) -> Bool {
        self.settings.names.contains { wanted in
            switch (wanted, name) {
            // Common names of devices are host names, too.
            case (.host(let pattern), .host(let host)), (.host(let pattern), .common(let host)): pattern.matches(host)
            case (.text(let text), .uri(let uri)): text.isExactly(uri)
            case (.text(let text), .common(let name)): text.isExactly(name)
            case (.host, .uri), (.text, .host): false
            }
        }
    }
}

extension HostPattern {
    /// Whether it stands for a name in a certificate. A name with `*` is for servers, and identifies no client.
    fileprivate func matches(_ name: String) -> Bool {
        let host = name.asciiLowercased
        guard !host.isEmpty, host.utf8.allSatisfy({ $0.isLetter || $0.isDigit || "-_.:".utf8.contains($0) }) else {
            return false
        }
        return switch self {
        case .exact(let wanted): host.isExactly(wanted)
        case .subdomains(let domain):
            host.utf8.count > domain.utf8.count + 1 && host.first != "." && host.hasSuffix(".\(domain)")
        }
    }
}
