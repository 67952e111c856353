"""Clients that guess credentials. Of the good ones, new sessions show right ones meanwhile."""

import random

import wire
from configuration import basic, bearer, secret, signed
from crowd import Kind

from .scenario import Scenario, clients

GUESSES = [secret("guess") for _ in range(64)]
# Signed with other keys, not signed, and broken.
TOKENS = [signed(guess) for guess in GUESSES[:32]]
TOKENS += [token.rpartition(".")[0] + "." for token in TOKENS[:8]] + [token[:-3] for token in TOKENS[:8]] + GUESSES[:8]
# A password more often than others: the users that there are, and others.
USERS = ("good", "good", "admin", "root")


def password() -> bytes:
    return wire.upgrade("/password", basic(random.choice(USERS), random.choice(GUESSES)))


def signed_token() -> bytes:
    return wire.upgrade("/signed", bearer(random.choice(TOKENS)))


def token() -> bytes:
    return wire.upgrade(f"/token?token={random.choice(GUESSES)}")


def guessers(request) -> tuple:
    """Half of them over TLS."""
    return (
        clients(
            (100, Kind(request=request, ends_with_answer=True, rate=500)),
            (100, Kind(at="secure", tls=True, request=request, ends_with_answer=True, rate=500)),
        ),
    )


NEVER = ("answered 101", "answered 200")
SCENARIOS = [
    Scenario("bad-passwords", "200 clients from 25 addresses guess passwords", guessers(password), never=NEVER),
    Scenario("bad-signed-tokens", "200 clients show JSON Web Tokens that are not good", guessers(signed_token), never=NEVER),
    Scenario("bad-tokens", "200 clients guess tokens that name servers", guessers(token), never=NEVER),
]
