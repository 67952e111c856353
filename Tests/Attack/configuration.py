"""The configuration of the gateway under attack, and the files that it names."""

import base64
import ctypes
import hashlib
import hmac
import json
import pathlib
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "IntegrationTests"))
import confidential
from confidential import register, secret

# In this order; the gateway logs their addresses in it.
LISTENERS = ("plain", "secure", "unix", "proxy")
# The proxies that are believed: these three numbers and one more.
PROXIES = "127.0.3"
# For all good clients there is room in these limits: each of their addresses has a few sessions that send four messages a second.
LIMITS = {
    "limits": {
        "connections-per-address": 8, "sessions-per-address": 8, "handshakes-per-address": "20/s", "requests-per-address": "50/s",
        "messages-per-second": 50, "bytes-per-second": "256KiB",
    },
    "timeouts": {"handshake": "5s", "request-body": "5s", "keep-alive": "5s"},
}
# A password costs about a tenth of a second.
SETTING = b"$2b$10$" + b"abcdefghijklmnopqrstuu"

PASSWORD, TOKEN, KEY = secret("password"), secret("token"), secret("key")


def hashed(password: str) -> str:
    """The password for an htpasswd file."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    return library.crypt(password.encode(), SETTING).decode()


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(key: str) -> str:
    """A JSON Web Token for an hour with an HMAC with this key."""
    parts = {"alg": "HS256", "kid": "k"}, {"sub": "good", "exp": int(time.time()) + 3600}
    text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return register("token", f"{text}.{encoded(hmac.digest(key.encode(), text.encode(), hashlib.sha256))}")


def basic(user: str, password: str) -> str:
    """The line of a head, with its end."""
    return f"Authorization: Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}\r\n"


def bearer(token: str) -> str:
    """The line of a head, with its end."""
    return f"Authorization: Bearer {token}\r\n"


def merged(base: dict, other: dict) -> dict:
    """The first with the keys of the second, at every depth."""
    return {**base, **{
        key: merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in other.items()
    }}


def configuration(
    folder: pathlib.Path, ports: dict[str, tuple[int, int]], *, limited: bool, certificate: dict | None, more: dict
) -> dict:
    """Writes the files of credentials to the folder. `ports`: those of WebSocket and TCP of the good servers and of the attackers', and that of
    the hostile one. `certificate`: keys of the TLS listener. `more`: keys that replace those of every scenario."""
    users, keys, tokens = folder / "users", folder / "keys.json", folder / "tokens"
    users.write_text(f"good:{register('hash', hashed(PASSWORD))}\n")
    keys.write_text(json.dumps({"keys": [{"kty": "oct", "kid": "k", "alg": "HS256", "k": encoded(KEY.encode())}]}))
    tokens.write_text(f"{TOKEN}: 127.0.0.1:{ports['good'][1]}\n")

    def endpoints(who: str) -> dict:
        return {"websocket": [f"ws://127.0.0.1:{ports[who][0]}"]}

    base = {
        "workers": 1,
        "admin": "127.0.0.1:0",
        "log": {"format": "json"},
        "drain": {"over": "0s"},
        "trusted-proxies": [f"{PROXIES}.0/24"],
        "listeners": [
            {"address": "127.0.0.1:0"},
            {"address": "127.0.0.1:0", "tls": certificate or {"self-signed": ["localhost"]}},
            {"address": f"unix:{folder}/listener.sock"},
            {"address": "127.0.0.1:0", "proxy-protocol": True},
        ],
        "routes": [
            {"path": "/private/*", "backend": "echo", "origins": ["https://a.example"]},
            {"path": "/relay", "backend": "relay"},
            {"path": "/plain", "backend": "relay", "http": "pass"},
            {"path": "/answer", "answer": {"text": "always the same"}},
            {"path": "/attack/*", "backend": "attack", "http": "pass"},
            {"path": "/hostile/*", "backend": "hostile", "http": "pass"},
            {"path": "/bridge", "backend": "bridge"},
            {"path": "/echo", "backend": "echo"},
            # For one good client that sends what is too much for the limits of others.
            {"path": "/large", "backend": "echo", "limits": {"message": "16MiB", "bytes-per-second": 0}},
            {"path": "/room/*", "backend": "rooms"},
            {"path": "/clock", "backend": "clock"},
            {"path": "/password", "backend": "echo", "auth": {"basic": {"file": str(users)}}},
            {"path": "/signed", "backend": "echo", "auth": {"jwt": {"keys": str(keys), "algorithms": ["HS256"], "audience": "any"}}},
            {"path": "/token", "backend": "tokens"},
        ],
        "backends": {
            "relay": endpoints("good"),
            "attack": endpoints("attack"),
            "hostile": endpoints("hostile"),
            "bridge": {"tcp": [f"127.0.0.1:{ports['good'][1]}"]},
            "tokens": {"tokens": str(tokens)},
            "echo": {"builtin": "echo"},
            "rooms": {"builtin": "broadcast"},
            "clock": {"builtin": "clock", "every": "20ms"},
        },
    }
    return merged(merged(base, {"defaults": LIMITS} if limited else {}), more)
