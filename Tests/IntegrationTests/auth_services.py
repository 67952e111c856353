"""Stand-ins of services that decide who may come in. Each is as strict as the one that it stands for: a question in another form gets 400."""

import asyncio
import contextlib
import dataclasses
import urllib.parse

from gateway_process import until


@dataclasses.dataclass
class Question:
    """A request, as it came."""

    target: str
    fields: list[tuple[str, str]]

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def __getitem__(self, name: str) -> str:
        """The value of a field that must not be repeated; empty without it."""
        values = self.all(name)
        assert len(values) < 2, f"{name} is repeated: {values}"
        return values[0] if values else ""

    @property
    def url(self) -> str:
        return f"{self['X-Forwarded-Proto']}://{self['X-Forwarded-Host']}{self['X-Forwarded-Uri']}"

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (pair.partition("=") for pair in self["Cookie"].split("; "))
        return {name: value for name, _, value in pairs}

    @property
    def asks_for_a_page(self) -> bool:
        return "text/html" in self["Accept"] and self["X-Requested-With"] != "XMLHttpRequest"


class Bad(Exception):
    """The question is not what the service needs."""


def need(question: Question, *names: str):
    for name in names:
        if not question[name]:
            raise Bad(f"{name} is absent or empty")


def answer(status: int, *fields: str, body: bytes = b"", reason: str = "Because") -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", *fields, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


class AuthService:
    """Answers each question with `decide(question)`: whole bytes, after which the connection ends. `None`: it never answers.

    `questions` has them all. `held` lets none be answered while it is set.
    """

    def __init__(self, decide, *, ssl=None):
        self.decide = decide
        self.ssl = ssl
        self.questions: list[Question] = []
        self.heads: list[bytes] = []
        # The connections that were ended by the other side before they had an answer.
        self.abandoned = 0
        self.open = 0
        self._tasks: set[asyncio.Task] = set()
        self._gate = asyncio.Event()
        self._gate.set()

    def hold(self):
        self._gate.clear()

    def release(self):
        self._gate.set()

    async def asked(self, count: int) -> list[Question]:
        await until(lambda: len(self.questions) >= count)
        return self.questions

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.ssl, limit=1 << 20)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stop(self):
        self.server.close()

    def url(self, path: str = "/") -> str:
        return f"{'https' if self.ssl else 'http'}://127.0.0.1:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        task = asyncio.current_task()
        self._tasks.add(task)
        self.open += 1
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        head = await reader.readuntil(b"\r\n\r\n")
        try:
            question = self._read(head)
            self.heads.append(head)
            self.questions.append(question)
            ended = asyncio.ensure_future(reader.read())
            opened = asyncio.ensure_future(self._gate.wait())
            await asyncio.wait([ended, opened], return_when=asyncio.FIRST_COMPLETED)
            opened.cancel()
            if ended.done():
                self.abandoned += 1
                return
            decided = self.decide(question)
        except (Bad, AssertionError) as error:
            decided = answer(400, body=str(error).encode())
        if decided is None:
            await ended
            self.abandoned += 1
            return
        writer.write(decided)
        await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
            await ended

    @staticmethod
    def _read(head: bytes) -> Question:
        """What no service would take is refused here."""
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, target, version = first.split(" ")
        question = Question(target, [tuple(line.split(": ", 1)) for line in lines])
        if (method, version) != ("GET", "HTTP/1.1"):
            raise Bad(first)
        names = [name.lower() for name, _ in question.fields]
        for name in names:
            if name in ("upgrade", "content-length", "transfer-encoding", "te", "expect") or name.startswith("sec-websocket-"):
                raise Bad(f"{name} does not belong here")
            if names.count(name) > 1:
                raise Bad(f"{name} is repeated")
        if question["Connection"] != "close":
            raise Bad("Connection")
        return question


def authelia(sessions: dict[str, str], portal: str = "https://auth.example.com/"):
    """`/api/authz/forward-auth` of Authelia. `sessions`: cookie to user."""

    def decide(question: Question) -> bytes:
        if question.target != "/api/authz/forward-auth":
            return answer(404)
        need(question, "X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri")
        if question["X-Forwarded-Proto"] not in ("https", "wss"):
            raise Bad("the scheme is not secure")
        name = sessions.get(question.cookies.get("authelia_session", ""))
        if name:
            return answer(
                200, f"Remote-User: {name}", "Remote-Groups: admins,dev", f"Remote-Name: The {name}",
                f"Remote-Email: {name}@example.com", "X-Internal: not for backends")
        method = question["X-Forwarded-Method"]
        location = f"Location: {portal}?{urllib.parse.urlencode({'rd': question.url, 'rm': method})}"
        if not question.asks_for_a_page:
            return answer(401, location, 'WWW-Authenticate: Basic realm="Authorization Required"', body=b"401 Unauthorized\n")
        status = 302 if method in ("GET", "HEAD", "OPTIONS") else 303
        return answer(status, location, "Content-Type: text/html", body=b"<a href='/'>Found</a>")

    return decide


def oauth2_proxy(sessions: dict[str, str]):
    """`/oauth2/auth` of oauth2-proxy with `--reverse-proxy --set-xauthrequest`. It splits a cookie that is refreshed."""

    def decide(question: Question) -> bytes:
        if question.target == "/oauth2/sign_in":
            return answer(200, body=b"sign in here")
        if question.target != "/oauth2/auth":
            return answer(404)
        need(question, "X-Real-IP", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri")
        if question["X-Forwarded-Proto"] not in ("http", "https"):
            raise Bad("X-Forwarded-Proto")
        name = sessions.get(question.cookies.get("_oauth2_proxy", ""))
        if not name:
            return answer(401, "Set-Cookie: _oauth2_proxy=; Max-Age=0; Path=/", body=b"Unauthorized\n")
        return answer(
            202, f"X-Auth-Request-User: {name}", f"X-Auth-Request-Email: {name}@example.com", "X-Auth-Request-Groups: a,b",
            "Set-Cookie: _oauth2_proxy_0=first; Path=/; HttpOnly", "Set-Cookie: _oauth2_proxy_1=second; Path=/; HttpOnly")

    return decide


def authentik(sessions: dict[str, str]):
    """`/outpost.goauthentik.io/auth/traefik` and `/nginx` of authentik. Its cookies are large."""

    def decide(question: Question) -> bytes:
        kind = question.target.rpartition("/")[2]
        if question.target != f"/outpost.goauthentik.io/auth/{kind}":
            return answer(404)
        match kind:
            case "traefik":
                need(question, "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri")
                url = question.url
            case "nginx":
                need(question, "X-Original-URL")
                url = question["X-Original-URL"]
            case _:
                return answer(404)
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise Bad(url)
        cookie = f"Set-Cookie: authentik_proxy_x={'c' * 20_000}; Path=/"
        name = sessions.get(question.cookies.get("authentik_proxy_x", ""))
        if name:
            return answer(
                200, f"X-authentik-username: {name}", "X-authentik-groups: one|two", "X-authentik-jwt: e.y.J", cookie)
        if kind == "nginx":
            return answer(401, cookie)
        start = urllib.parse.urlencode({"rd": url})
        return answer(302, f"Location: /outpost.goauthentik.io/start?{start}", cookie)

    return decide
