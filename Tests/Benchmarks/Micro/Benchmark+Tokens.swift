import Configuration
import Credentials
import HTTP1

extension Benchmark {
    /// What the tokens of one request cost: found, verified, and their claims compared. Its key is among those of three algorithms.
    static var tokens: [Benchmark] {
        Self.signed.map { algorithm, token in
            Benchmark("token-\(algorithm.rawValue.lowercased())", per: .request) {
                var settings = JWTSettings(
                    keys: .file("keys"), algorithms: [algorithm], audience: .oneOf(["chat"]))
                settings.issuers = ["https://login.example.com"]
                settings.requirements = [.init(claim: "scope", value: "chat")]
                settings.send = [SentField(name: "X-User", source: "sub")]
                let route = RouteCredentials([.jwt(settings)])
                let fields: HTTPFields = ["Host": "chat.example.com", "Authorization": "Bearer \(token)"]
                var files = KeysAndUsers()
                files.keys[settings.keys] = Self.keys
                return Work(units: 1, expecting: 1) {
                    let shown = route.shown(fields: fields, target: "/chat", hasCertificate: false)
                    let worth = route.worth(of: shown, certificate: nil, by: files, now: 1_800_000_000)
                    if case .verdict(.granted) = worth { return 1 } else { return 0 }
                }
            }
        }
    }

    private static let keys: KeySet = {
        do {
            return try KeySet(parsing: Array(Self.jwks.utf8), from: .file)
        } catch {
            fatalError("\(error)")
        }
    }()

    /// Made for this; nothing else trusts these keys. The tokens are good until the year 2096.
    private static let jwks = """
        {"keys": [
        {"kty":"RSA","n":"pO2A7AjOQG4XClWww39PFmf4gXuyWDcRbOeHhUuJLxZ-vikHjXw2Ml1G6EQ12xNYkHGUNkli3Ll_fFsqEE\
        UXlPkG0xnqKzVomZjIXXtcPuzsocLtN_MFcHLiKPbRfBldVT8I32PRTLNZsjnlvBJzGcQE2lyoPxUoiA-ybMJzaRdnfVGZ-CApvS\
        KoI4E8PHk85_cD8ExjNtz-ZMVPPhF38PopOHyJLjA_WAmMshyWu9OAoQmytpM7KuF5r5evmronZFog0XYb8IAEdmep9-NGhRRt2w\
        ZnB9750tMS8uCl0RKMU3hCIZMWeFp8brYPKmuf7WA59eb50iBROjAgMq5eyQ","e":"AQAB","kid":"r","alg":"RS256","us\
        e":"sig"},
        {"kty":"EC","crv":"P-256","x":"YZTBtONwrLWgiE5gbuBhcnviZuiY8OIf9OxHP84z9Ms","y":"f3NPnTiEFa87nE6b-6R\
        RipcSUf9jm3vuS4sSlS04sTM","kid":"e","alg":"ES256","use":"sig"},
        {"kty":"OKP","crv":"Ed25519","x":"3q6pQHro7sUt2ccwYiyBcYS29s2DfFFpjfwCR_uzPWc","kid":"d","alg":"EdDS\
        A","use":"sig"}
        ]}
        """

    private static let signed: [(SignatureAlgorithm, String)] = [
        (
            .rs256,
            """
            eyJhbGciOiAiUlMyNTYiLCAidHlwIjogIkpXVCIsICJraWQiOiAiciJ9.eyJzdWIiOiAiYWxpY2UiLCAiZXhwIjogNDAwMDAwMDA\
            wMCwgImlzcyI6ICJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tIiwgImF1ZCI6ICJjaGF0IiwgImlhdCI6IDE3MDAwMDAwMDAsICJ\
            zY29wZSI6ICJjaGF0IG1haWwifQ.Z43pxLOtuYV8TF1P-IALAItXbOvkaW8GcUV4vmIEGYl7qXmComazxAC2kMaEvDL0hmuGHpL1\
            lI6yDUrvUz9jmeFvBEpIHqK7hPVw1ProkpvziXUpn7dNmEAQ6_TT5j2IC7n3ugFPVbs3wB-TzBsVsrFfb4ZQrAurlm6yFSWoWoif\
            mar1QeHmiLiO17xpW_RtxaE7HNR12X570MUkDdZ7Aj1jm0_AlKb85-UNWVKTULM3JuekQgOtMss6nofwM9G7DX-C3AgQ_8LDMZCR\
            vbPAOGIQG0A2RAhT2iA5iizu2FojU9kexEGXFgSGZpTotQUXdW2vNz1hOgYX2t5LWNf4jQ
            """
        ),
        (
            .es256,
            """
            eyJhbGciOiAiRVMyNTYiLCAidHlwIjogIkpXVCIsICJraWQiOiAiZSJ9.eyJzdWIiOiAiYWxpY2UiLCAiZXhwIjogNDAwMDAwMDA\
            wMCwgImlzcyI6ICJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tIiwgImF1ZCI6ICJjaGF0IiwgImlhdCI6IDE3MDAwMDAwMDAsICJ\
            zY29wZSI6ICJjaGF0IG1haWwifQ.jRwOhQoaVflBDhoz2R3sSarQBcRnfIzHAORpF-zUncwTpJi-w_Ow0hrERrYqvirdXuubyRtU\
            aP7-EplMTxa4SQ
            """
        ),
        (
            .edDSA,
            """
            eyJhbGciOiAiRWREU0EiLCAidHlwIjogIkpXVCIsICJraWQiOiAiZCJ9.eyJzdWIiOiAiYWxpY2UiLCAiZXhwIjogNDAwMDAwMDA\
            wMCwgImlzcyI6ICJodHRwczovL2xvZ2luLmV4YW1wbGUuY29tIiwgImF1ZCI6ICJjaGF0IiwgImlhdCI6IDE3MDAwMDAwMDAsICJ\
            zY29wZSI6ICJjaGF0IG1haWwifQ.XwccMoym_66Kht45d4VsaSBy8FlQCND9GUodR0BRM8Wq7lr_QhHq45d0EWb4-wHTQPrgpsqo\
            Q6Kk6TIuL9MQAA
            """
        ),
    ]
}
