"""A server that has keys of tokens at an https URL, and answers what a test wants."""

import asyncio
import ssl

from certificates import Authority
from credentials import Key, key_set
from gateway_process import within


def answer(body: str | bytes, status: str = "200 OK", *fields: str, type: str = "application/json") -> bytes:
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {type}", f"Content-Length: {len(body)}", "Connection: close", *fields, "", ""]
    return "\r\n".join(lines).encode() + body


class KeyServer:
    """`answer` is sent to each request; `None`: nothing is. `requests` are the heads."""

    def __init__(self, authority: Authority, *keys: Key, name: str = "127.0.0.1"):
        self.answer: bytes | None = answer(key_set(*keys))
        self.requests: list[str] = []
        self.name = name
        self.authority = authority
        self.tls: ssl.SSLContext | None = authority.issue(name).server_context()
        self._news = asyncio.Condition()

    async def __aenter__(self) -> "KeyServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error):
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            async with self._news:
                self.requests.append(head)
                self._news.notify_all()
            if self.answer is None:
                await reader.read()
            else:
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    @property
    def url(self) -> str:
        return f"https://{self.name}:{self.port}/keys"

    def has(self, *keys: Key):
        """Has these keys from now on."""
        self.answer = answer(key_set(*keys))

    async def asked(self, times: int):
        """Waits until it was asked so often."""
        async with self._news:
            await within(self._news.wait_for(lambda: len(self.requests) >= times))

    def auth(self, **settings) -> dict:
        """`auth` of a route that takes its keys."""
        return {"jwt": {"keys": self.url, "tls": {"ca": str(self.authority.file)}, "algorithms": ["ES256", "RS256"],
                        "audience": "any", **settings}}
