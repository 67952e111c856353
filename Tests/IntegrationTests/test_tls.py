"""TLS of listeners and to endpoints."""

import asyncio
import contextlib
import json
import re
import socket
import ssl
import subprocess
import threading

import pytest
from cryptography import x509

import raw
from certificates import Authority
from gateway_process import Gateway, command, insecure, within
from peers import WebSocketBackend, relay

ECHO = {"routes": [{"path": "/echo", "backend": "echo"}], "backends": {"echo": {"builtin": "echo"}}}


def listening(tls: dict) -> Gateway:
    return Gateway(**ECHO, listeners=[{"address": "127.0.0.1:0", "tls": tls}])


async def handshake(gateway: Gateway, context: ssl.SSLContext, name: str | None = None) -> ssl.SSLObject:
    """A TLS handshake and an echo. The echo proves that the client was not refused: in TLS 1.3 that comes after its handshake."""
    async with await raw.Connection.open(gateway.secure, ssl=context, server_hostname=name or "127.0.0.1") as socket:
        await socket.send(raw.upgrade() + raw.frame(raw.TEXT, b"hello"))
        assert (await socket.response()).status == 101
        assert await socket.frame() == raw.Frame(raw.TEXT, b"hello")
        return socket.writer.get_extra_info("ssl_object")


async def refused(gateway: Gateway, context: ssl.SSLContext, name: str | None = None):
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        await handshake(gateway, context, name)


def names(connection: ssl.SSLObject) -> set[str]:
    return {value for _, value in connection.getpeercert()["subjectAltName"]}


async def test_a_certificate_from_files(authority):
    identity = authority.issue("127.0.0.1")
    async with listening({"certificates": [identity.configuration()]}) as gateway:
        connection = await handshake(gateway, authority.client_context())
        assert connection.version() == "TLSv1.3" and (await gateway.event("open"))["tls"] == "TLSv1.3"


async def test_alpn_is_http_1_1():
    async with listening({"self-signed": ["localhost"]}) as gateway:
        context = insecure()
        context.set_alpn_protocols(["h2", "http/1.1"])
        assert (await handshake(gateway, context)).selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("order", [("RSA", "ECDSA"), ("ECDSA", "RSA")])
async def test_a_name_has_a_certificate_of_each_kind(authority, order):
    certificates = [authority.issue("a.example", "127.0.0.1", kind=kind).configuration() for kind in order]
    certificates.append(authority.issue("b.example", kind="RSA").configuration())
    async with listening({"certificates": certificates}) as gateway:
        for name in ("a.example", None):
            for kind in order:
                # What a client of TLS 1.2 can verify its ciphers say, one of TLS 1.3 its signature algorithms.
                context = authority.client_context()
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                context.set_ciphers(f"ECDHE-{kind}-AES128-GCM-SHA256")
                assert kind in (await handshake(gateway, context, name)).cipher()[0]
                assert await peer_key(gateway, name, kind, "-tls1_3") == kind
        # Its only certificate is refused to a client that cannot verify it.
        assert await peer_key(gateway, "b.example", "RSA", "-tls1_3") == "RSA"
        assert await peer_key(gateway, "b.example", "ECDSA", "-tls1_3") is None


async def peer_key(gateway: Gateway, name: str | None, kind: str, version: str) -> str | None:
    """The kind of key that a client gets if it verifies only one kind of signature; `None`: the handshake fails."""
    algorithms = {"RSA": "rsa_pss_rsae_sha256", "ECDSA": "ecdsa_secp256r1_sha256"}[kind]
    server_name = ["-servername", name] if name else ["-noservername"]
    process = await asyncio.create_subprocess_exec(
        "openssl", "s_client", "-connect", "127.0.0.1:%d" % gateway.secure[1], *server_name, "-sigalgs", algorithms, version,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
    output, _ = await process.communicate()
    signature = re.search(rb"Peer signature type: (\S+)", output)
    return {b"RSA-PSS": "RSA", b"ECDSA": "ECDSA"}[signature[1]] if signature else None


async def test_two_certificates_of_one_name_and_kind_are_warned_of(authority, tmp_path):
    first, other, second = (authority.issue(*names) for names in (["a.example"], ["b.example"], ["a.example", "c.example"]))
    rsa = authority.issue("a.example", kind="RSA")
    file = tmp_path / "gateway.conf"
    certificates = [identity.configuration() for identity in (first, other, rsa, second)]
    listeners = [{"address": "127.0.0.1:8443", "tls": {"certificates": certificates}}]
    file.write_text(json.dumps({"listeners": listeners, "routes": [{"path": "/", "page": "console"}]}))
    status, _, errors = await command("check", "--config", file)
    assert status == 0
    assert errors == (
        f"warning: {file}: listener 127.0.0.1:8443: {second.chain} is never shown for a.example: {first.chain}, "
        "which is ECDSA too, comes first\n")


async def test_certificates_that_end_soon_are_warned_of(authority, tmp_path):
    valid, near, ended = (authority.issue(f"{days}.example", days=days) for days in (14.1, 13.9, -0.1))
    file = tmp_path / "gateway.conf"
    certificates = [identity.configuration() for identity in (valid, near, ended)]
    shown = authority.issue("client", client=True, days=0.5)
    tls = {"certificate": shown.configuration()}
    listeners = [{"address": ":8443", "tls": {"certificates": certificates}}]
    routes, backends = [{"path": "/", "backend": "app"}], {"app": {"websocket": ["wss://127.0.0.1:1"], "tls": tls}}
    file.write_text(json.dumps({"listeners": listeners, "routes": routes, "backends": backends}))
    status, _, errors = await command("check", "--config", file)
    assert status == 0
    ends = {
        identity: x509.load_pem_x509_certificate(identity.chain.read_bytes()).not_valid_after_utc.strftime("%a, %d %b %Y %H:%M:%S GMT")
        for identity in (near, ended, shown)
    }
    assert errors.splitlines() == [
        f"warning: {file}: listener :8443: {near.chain} expires in 13 days, on {ends[near]}",
        f"warning: {file}: listener :8443: {ended.chain} has expired, on {ends[ended]}: peers refuse it",
        f"warning: {file}: backend app: {shown.chain} expires in 0 days, on {ends[shown]}",
    ]


async def test_certificates_are_chosen_by_name(authority):
    first, second, wild = (authority.issue(name) for name in ("a.example", "b.example", "*.c.example"))
    certificates = [identity.configuration() for identity in (first, second, wild)]
    async with listening({"certificates": certificates}) as gateway:
        context = authority.client_context()
        for name in ("a.example", "b.example", "B.EXAMPLE", "x.c.example"):
            connection = await handshake(gateway, context, name)
            assert names(connection) & {name.lower(), "*.c.example"}
        context.check_hostname = False
        for stranger in ("unknown.example", "x.y.c.example"):
            assert names(await handshake(gateway, context, stranger)) == {"a.example"}


@pytest.mark.parametrize("minimum, accepted", [(None, True), ("1.2", True), ("1.3", False)])
async def test_minimum_version(minimum, accepted):
    async with listening({"self-signed": ["localhost"], **({"minimum": minimum} if minimum else {})}) as gateway:
        context = insecure()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if accepted:
            assert (await handshake(gateway, context)).version() == "TLSv1.2"
        else:
            await refused(gateway, context)
        assert (await handshake(gateway, insecure())).version() == "TLSv1.3"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_tls_1_1_is_refused():
    async with listening({"self-signed": ["localhost"]}) as gateway:
        context = insecure()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        await refused(gateway, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_client_certificates(version, authority, tmp_path):
    server = authority.issue("127.0.0.1")
    tls = {"certificates": [server.configuration()], "client-ca": str(authority.file)}
    stranger = Authority(tmp_path, "Stranger").issue("mallory", client=True)
    async with listening(tls) as gateway:

        def context(identity):
            made = authority.client_context(identity)
            made.minimum_version = made.maximum_version = version
            return made

        await handshake(gateway, context(authority.issue("alice", client=True)))
        await refused(gateway, context(None))
        await refused(gateway, context(stranger))
        await refused(gateway, context(server))


async def s_client(address: tuple[str, int], *arguments) -> str:
    """The output of `openssl s_client` for a connection on which a request is answered."""
    command = ["openssl", "s_client", "-connect", f"{address[0]}:{address[1]}", "-ign_eof", *map(str, arguments)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output, _ = await within(process.communicate(raw.upgrade("/nowhere")))
    return output.decode(errors="replace")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_sessions_are_resumed_on_any_worker(version, tmp_path):
    ticket = tmp_path / "ticket"
    listeners = [{"address": "127.0.0.1:0", "tls": {"self-signed": ["localhost"]}}]
    async with Gateway(**ECHO, workers=2, listeners=listeners) as gateway:
        assert "New, TLSv1" in await s_client(gateway.secure, version, "-sess_out", ticket)
        for _ in range(6):
            assert "Reused, TLSv1" in await s_client(gateway.secure, version, "-sess_in", ticket)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_a_ticket_does_not_open_a_listener_that_demands_certificates(version, authority, tmp_path):
    ticket = tmp_path / "ticket"
    tls = {"certificates": [authority.issue("127.0.0.1").configuration()]}
    listeners = [
        {"address": "127.0.0.1:0", "tls": tls},
        {"address": "127.0.0.1:0", "tls": {**tls, "client-ca": str(authority.file)}},
    ]
    async with Gateway(**ECHO, listeners=listeners) as gateway:
        lax, strict = gateway.addresses
        assert "HTTP/1.1 404" in await s_client(lax, version, "-sess_out", ticket)
        assert "Reused, TLSv1" in await s_client(lax, version, "-sess_in", ticket)
        output = await s_client(strict, version, "-sess_in", ticket)
        assert "Reused, TLSv1" not in output and "HTTP/1.1" not in output


# Towards endpoints


@pytest.mark.parametrize(
    "names, tls, status",
    [
        (("127.0.0.1",), {"ca": True}, 101),
        (("chat.internal",), {"ca": True, "server-name": "chat.internal"}, 101),
        (("*.chat.internal",), {"ca": True, "server-name": "a.chat.internal"}, 101),
        (("chat.internal",), {"ca": True}, 502),
        (("127.0.0.1",), {"ca": True, "server-name": "chat.internal"}, 502),
        (("127.0.0.1",), {}, 502),
        (("chat.internal",), {"verify": False}, 101),
    ],
)
async def test_a_wss_endpoint_is_verified(names, tls, status, authority):
    tls = {**tls, **({"ca": str(authority.file)} if tls.get("ca") else {})}
    async with WebSocketBackend(ssl=authority.issue(*names).server_context()) as backend:
        async with relay(backend.configuration(tls=tls)) as gateway:
            async with await raw.Connection.open(gateway.plain) as socket:
                await socket.send(raw.upgrade("/app"))
                assert (await socket.response()).status == status
                if status == 101:
                    message = raw.pattern(300_000)
                    await socket.send(raw.frame(raw.BINARY, message))
                    assert (await socket.frame()).payload == message
                else:
                    assert "TLS" in (await gateway.event("refused", status=502))["reason"]


@contextlib.contextmanager
def demanding(context: ssl.SSLContext):
    """A TLS server that refuses every connection; yields its port. (asyncio's TLS servers send no alert.)"""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with contextlib.suppress(OSError), connection:
                        context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    "version, alert",
    [(ssl.TLSVersion.TLSv1_2, "handshake failure"), (ssl.TLSVersion.TLSv1_3, "certificate required")],
)
async def test_an_endpoint_that_demands_a_certificate_says_so_in_the_log(version, alert, authority):
    context = authority.issue("127.0.0.1").server_context(authority)
    context.minimum_version = context.maximum_version = version
    with demanding(context) as port:
        settings = {"websocket": [f"wss://127.0.0.1:{port}"], "tls": {"ca": str(authority.file)}}
        async with relay(settings) as gateway:
            assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 502
            assert f"the peer's alert: {alert}" in (await gateway.event("refused", status=502))["reason"]


async def test_an_endpoint_that_speaks_no_tls_is_502(authority):
    async with WebSocketBackend() as backend:
        async with relay({"websocket": [f"wss://127.0.0.1:{backend.port}"]}) as gateway:
            assert (await raw.ask(gateway.plain, raw.upgrade("/app"))).status == 502
