import Testing

@testable import Credentials

struct SubprotocolOfferTests {
    @Test(arguments: [
        (["chat", "bearer.t"], SubprotocolOffer.names(["chat"], announcement: nil)),
        (["bearer.t", "chat", "v2"], .names(["chat", "v2"], announcement: nil)),
        (["bearer", "t"], .names([], announcement: "bearer")), (["Bearer", "t"], .names([], announcement: "Bearer")),
        (["bearer", "t", "chat"], .names(["chat"], announcement: "bearer")),
        (["chat", "bearer", "t"], .names(["chat"], announcement: "bearer")),
        (
            ["base64url.bearer.authorization.k8s.io.dA", "v4.channel.k8s.io"],
            .names(["v4.channel.k8s.io"], announcement: nil)
        ),
        (["bearer", "bearer.t"], .names([], announcement: "bearer")),
        (["chat"], .names(["chat"], announcement: nil)), ([], .names([], announcement: nil)),
        (["bearer"], .names(["bearer"], announcement: nil)), (["bearer.t"], .credentialAlone),
        (["base64url.bearer.authorization.k8s.io.dA"], .credentialAlone), (["bearer.a", "bearer.b"], .credentialAlone),
    ])
    func `the token is taken out, and there is something to answer with or there is not`(
        offers: [String], offer: SubprotocolOffer
    ) {
        #expect(SubprotocolOffer(offers) == offer)
    }
}
