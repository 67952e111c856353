import Configuration
import Fuzzing
import HTTP1

@testable import Credentials

/// Tokens, keys, passwords and the places where they are: whatever comes, it is refused or granted, and what is granted can be sent.
@main
enum FuzzCredential {
    private static let secret = (0..<64).map { UInt8($0) }
    private static let keys = keySet(
        #"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw"}"#,
        #"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        #"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#)

    static func main() {
        fuzz { bytes in
            var choices = Choices(bytes)
            switch choices.byte() % 6 {
            case 0: self.token(choices.rest())
            case 1: self.signed(header: choices.bytes(Int(choices.byte())), payload: choices.rest())
            case 2: self.keys(choices.rest())
            case 3: self.places(choices.rest())
            case 4: self.passwords(choices.rest())
            default: self.base64(choices.rest())
            }
        }
    }

    private static func keySet(_ keys: String...) -> KeySet {
        do {
            return try KeySet(parsing: Array("{\"keys\":[\(keys.joined(separator: ","))]}".utf8), from: .file)
        } catch {
            fatalError("\(error)")
        }
    }

    private static func settings() -> JWTSettings {
        var settings = JWTSettings(keys: .file("keys"), algorithms: SignatureAlgorithm.allCases, audience: .any)
        settings.expires = .optional
        settings.requirements = [.init(claim: "scope", value: "chat")]
        settings.send = [SentField(name: "X-User", source: "sub"), SentField(name: "X-Groups", source: "groups")]
        return settings
    }

    // MARK: - Tokens

    private static func token(_ bytes: [UInt8]) {
        let verdict = TokenCheck(self.settings()).verdict(
            on: String(decoding: bytes, as: UTF8.self), keys: self.keys, now: 0)
        switch verdict {
        case .granted, .forbidden: expect(false, "a signature was found")
        case .refused(let flaw): expect(!flaw.description.isEmpty, "refused without a reason")
        }
    }

    /// What a token says is only looked at behind a right signature.
    private static func signed(header: [UInt8], payload: [UInt8]) {
        let header = header.isEmpty ? Array(#"{"alg":"HS256"}"#.utf8) : header
        let signed = "\(self.encoded(header)).\(self.encoded(payload))"
        let signature = HMAC.value(of: Array(signed.utf8), key: self.secret, hash: "SHA256")
        let token = "\(signed).\(self.encoded(signature))"
        let verdict = TokenCheck(self.settings()).verdict(on: token, keys: self.keys, now: 1000)
        guard case .granted(let grant) = verdict else { return }
        expect(grant.expires.map { $0 > 1000 } ?? true, "a token that has expired")
        for field in grant.fields {
            let isPlain = field.value.utf8.first?.isWhitespace != true && field.value.utf8.last?.isWhitespace != true
            expect(
                isPlain && field.value.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F },
                "a field that splits")
        }
        guard let object = try? JSONReader.object(payload, most: payload.count) else {
            return expect(false, "granted without claims")
        }
        expect(
            Set(object.members.map { Array($0.name.utf8) }).count == object.members.count, "a name that is there twice")
    }

    private static func keys(_ bytes: [UInt8]) {
        for origin in [KeySet.Origin.file, .url] {
            guard let set = try? KeySet(parsing: bytes, from: origin) else { continue }
            for key in set.keys {
                let fitting = SignatureAlgorithm.allCases.filter(key.fits)
                expect(!fitting.isEmpty, "a key for nothing")
                if case .secret(let secret) = key.material {
                    expect(origin == .file && secret.count >= 32, "a secret that is short, or known")
                    expect(fitting.allSatisfy(\.isSymmetric), "a secret for a pair")
                } else {
                    expect(!fitting.contains(where: \.isSymmetric), "a public key for HMAC")
                }
            }
        }
    }

    // MARK: - Places

    private static func places(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        let target = parts[0]
        var fields = HTTPFields()
        if parts.count > 1 { fields.append("Sec-WebSocket-Protocol", parts[1]) }
        if parts.count > 2 {
            fields.append("Authorization", parts[2])
            fields.append("Cookie", parts[2])
        }
        let search = TokenSearch([.header, .cookie("s"), .query("t"), .subprotocol])
        let finding = search.token(fields: fields, target: target)
        if case .token(let token, _) = finding { expect(!token.isEmpty, "an empty token") }
        let cleaned = search.cleaned(target: target)
        expect(search.cleaned(target: cleaned) == cleaned, "cleaned is not clean")
        if case .token(_, .query) = search.token(fields: [:], target: cleaned) {
            expect(false, "a token is left in the URL")
        }

        let offers = fields.elements("Sec-WebSocket-Protocol")
        if case .names(let names, let announcement) = SubprotocolOffer(offers) {
            expect(names.allSatisfy(offers.contains), "a subprotocol of no offer")
            let credentials = SubprotocolCredential.all(in: offers).map(\.element)
            expect(!names.contains(where: credentials.contains), "a credential is left among the subprotocols")
            expect(
                announcement.map { offers.contains($0) && !credentials.isEmpty } ?? true, "an announcement of nothing")
        }
    }

    // MARK: - Passwords

    private static func passwords(_ bytes: [UInt8]) {
        if case .credential(let credential) = BasicCredential.find(in: [
            "Authorization": "Basic \(Base64.encoded(bytes.span))"
        ]) {
            expect(!credential.user.utf8.contains(UInt8(ascii: ":")), "a colon in a user")
            expect(!credential.password.utf8.contains(0), "a zero in a password")
            expect(Array("\(credential.user):\(credential.password)".utf8) == bytes, "not what was sent")
        }
        do {
            _ = try PasswordFile(parsing: bytes)
        } catch {
            expect(!error.mistakes.isEmpty, "refused without a mistake")
            let lines = bytes.split(separator: .lineFeed, omittingEmptySubsequences: false).count
            expect(error.mistakes.allSatisfy { (1...lines).contains($0.line ?? 1) }, "a line behind the file")
        }
    }

    private static func base64(_ bytes: [UInt8]) {
        if let decoded = Base64.decoded(bytes, .standard) {
            expect(Array(Base64.encoded(decoded.span).utf8) == bytes, "two texts for the same bytes")
        }
        if let decoded = Base64.decoded(bytes, .url) {
            expect(Array(self.encoded(decoded).utf8) == bytes, "two texts for the same bytes")
        }
    }

    private static func encoded(_ bytes: [UInt8]) -> String {
        Base64.encoded(bytes.span).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
