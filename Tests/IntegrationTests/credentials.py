"""Keys, tokens and users for the tests, made when they run. All of them are secrets that no gateway may write; a test's passwords are words that
stand for longer ones."""

import base64
import hmac
import json
import os
import time
import warnings

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from confidential import password, register

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import crypt


def encoded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """A key that signs tokens in one algorithm."""

    def __init__(self, algorithm: str, name: str = "k", bits: int = 2048):
        self.algorithm = algorithm
        self.name = name
        match algorithm:
            case "ES256":
                self.key = ec.generate_private_key(ec.SECP256R1())
            case "EdDSA":
                self.key = ed25519.Ed25519PrivateKey.generate()
            case "RS256":
                self.key = rsa.generate_private_key(65537, bits)
            case "HS256":
                self.key = os.urandom(32)
                register("key", encoded(self.key))

    def public(self) -> dict:
        """What a JWK Set has of it."""
        common = {"kid": self.name, "alg": self.algorithm, "use": "sig"}
        match self.algorithm:
            case "ES256":
                numbers = self.key.public_key().public_numbers()
                x, y = (encoded(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
                return {"kty": "EC", "crv": "P-256", "x": x, "y": y, **common}
            case "EdDSA":
                raw = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
                return {"kty": "OKP", "crv": "Ed25519", "x": encoded(raw), **common}
            case "RS256":
                numbers = self.key.public_key().public_numbers()
                n, e = (encoded(number.to_bytes((number.bit_length() + 7) // 8, "big")) for number in (numbers.n, numbers.e))
                return {"kty": "RSA", "n": n, "e": e, **common}
            case "HS256":
                return {"kty": "oct", "k": encoded(self.key), **common}

    def token(self, header: dict | None = None, *, lasts: float = 600, **claims) -> str:
        """A token that lasts so many seconds."""
        head = {"alg": self.algorithm, "typ": "JWT", "kid": self.name, **(header or {})}
        body = {"sub": "alice", "exp": int(time.time() + lasts), **claims}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (head, body))
        signature = register("signature", encoded(self._sign(signed.encode())))
        register("claims", signed.split(".")[1])
        return register("token", f"{signed}.{signature}")

    def _sign(self, data: bytes) -> bytes:
        match self.algorithm:
            case "ES256":
                r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
                return r.to_bytes(32, "big") + s.to_bytes(32, "big")
            case "EdDSA":
                return self.key.sign(data)
            case "RS256":
                return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
            case "HS256":
                return hmac.digest(self.key, data, "sha256")


def key_set(*keys: Key) -> str:
    return json.dumps({"keys": [key.public() for key in keys]})


def replace(file, text: str):
    """Replaces a file as a whole, as tools do that write secrets."""
    other = file.with_suffix(".new")
    other.write_text(text)
    other.replace(file)


# Settings of crypt(3), and what each costs: the first is for tests that only want an answer.
BCRYPT = "$2b$04$abcdefghijklmnopqrstuu"
DEAR = "$2b$11$abcdefghijklmnopqrstuu"
YESCRYPT = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1"
SHA512 = "$6$rounds=1000$saltsalt"


def user(name: str, word: str, setting: str = BCRYPT) -> str:
    """A line of an htpasswd file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        hashed = crypt.crypt(password(word), setting)
    register("end of a hash", hashed[-24:])
    return f"{name}:{hashed}\n"


def basic(name: str, word: str) -> str:
    """The line of a head."""
    return f"Authorization: Basic {base64.b64encode(f'{name}:{password(word)}'.encode()).decode()}"
