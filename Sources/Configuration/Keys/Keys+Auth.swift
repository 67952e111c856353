/// The keys of `auth`: kinds of credentials.
extension Keys {
    struct Auth {
        let jwt = MappingKey("jwt", Keys.jwt, presence: .alternative, "A signed token (JWT).")
        let basic = MappingKey("basic", Keys.basic, presence: .alternative, "A user and a password (HTTP Basic).")
        let forward = MappingKey(
            "forward", Keys.forward, presence: .alternative,
            "Another service is asked about each request, as Authelia, oauth2-proxy and authentik want it.")
        let certificate = MappingKey(
            "certificate", Keys.clientCertificate, presence: .alternative,
            "A client certificate that an authority in client-ca of the listener signed.")
    }

    struct JWT {
        let keys = OptionalKey(
            "keys", KeyType<KeySource>.text { text throws(Mistake) in try KeySource(parsing: text) },
            presence: .required, "A file with a JWK Set, or an https URL of one.")
        let tls = MappingKey("tls", Keys.authTLS, "How the server of an https URL is verified.")
        let algorithms = ListKey(
            "algorithms", of: KeyType<SignatureAlgorithm>.word, presence: .required,
            "The algorithms that a token may be signed with. What the token says of its own does not count.")
        let issuer = OneOrListKey(
            "issuer", of: .claimText, "What iss must be, or a list of which it must be one. Without it: anything.")
        let audience = OneOrListKey(
            "audience", of: .claimText, presence: .required,
            "What aud must contain, or a list of which it must contain one. any: it is not checked.")
        let leeway = Key(
            "leeway", .duration(.zero...(.seconds(3600))), default: "30s", "How far the clocks of others may be off.")
        let expires = Key(
            "expires", KeyType<TokenExpiry>.word, default: "required",
            "Whether a token without exp is refused. optional: it is good for ever.")
        let require = NamedTextsKey(
            "require", of: .claims,
            "Claims by name, and what they must be, or contain as a list or as words. Otherwise the answer is 403.")
        let token = ListKey(
            "token", of: KeyType<TokenPlace>.tokenPlace,
            "Where a request may have its token; the first that has one decides. Without it: [header].")
        let send = NamedTextsKey("send", of: .fields, "Fields that backends get: of each the claim that is its value.")
    }

    struct Basic {
        let file = OptionalKey(
            "file", .file, presence: .required, "An htpasswd file, with passwords hashed by bcrypt, yescrypt or sha512."
        )
        let realm = Key("realm", .realm, default: "gateway", "What a browser shows when it asks for the password.")
        let send = NamedTextsKey("send", of: .fields, "Fields that backends get: user, the name of the user.")
    }

    struct Forward {
        let url = OptionalKey(
            "url", KeyType<WebURL>.text { text throws(Mistake) in try WebURL(parsing: text) }, presence: .required,
            "What is asked about each request.")
        let send = ListKey(
            "send", of: KeyType<String>.name, "Fields of its answer that backends get. Without it: none.")
        let again = Key(
            "again", KeyType<Duration>.duration(.seconds(1)...(.seconds(86400))).orOff, default: "off",
            "How often it is asked about a session that is open. off: never.")
        let tls = MappingKey("tls", Keys.authTLS, "How the server of an https URL is verified.")
    }

    struct ClientCertificate {
        let names = ListKey(
            "names", of: KeyType<CertificateName>.text { text throws(Mistake) in try CertificateName(parsing: text) },
            "The names of which a certificate must have one: host names, \"*.devices.example.com\", URIs; common names where it has no others. Without it: any certificate that is verified."
        )
        let send = NamedTextsKey(
            "send", of: .fields,
            "Fields that backends get: subject, the distinguished name, or name, the name that matched.")
    }

    struct AuthTLS {
        let ca = OptionalKey(
            "ca", .file, presence: .required, "A PEM file of authorities to trust, instead of the system's.")
    }
}

// MARK: - Types of one key each

extension KeyType<TokenPlace> {
    fileprivate static var tokenPlace: Self {
        let schema: JSON = [
            "anyOf": [
                ["enum": ["header", "subprotocol"]], ["type": "string", "pattern": "^(cookie|query):.+$"], .variable,
            ]
        ]
        return Self(schema: schema) { text throws(Mistake) in try TokenPlace(parsing: text) }
    }
}

extension KeyType<String> {
    /// What a claim may be.
    fileprivate static var claimText: Self {
        .text { text throws(Mistake) in
            guard !text.isEmpty else { throw Mistake("must not be empty") }
            return text
        }
    }

    /// It stands between quotes in a field (RFC 9110 section 11.5).
    fileprivate static var realm: Self {
        .text { text throws(Mistake) in
            let text = try Word.fieldValue(text)
            guard !text.contains("\""), !text.contains("\\") else { throw Mistake("must not have `\"` or `\\` in it") }
            return text
        }
    }
}
