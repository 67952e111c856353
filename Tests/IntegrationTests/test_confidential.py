"""The search for secrets in what gateways write: it finds them, and ends a test that has one."""

import base64
import urllib.parse

import pytest

import confidential
import raw
from admin import admin
from confidential import Leak, password, secret
from credentials import Key, basic, user
from gateway_process import Gateway, command


def serving(name: str, **keys) -> Gateway:
    """A gateway that writes the name of its only route."""
    return Gateway(routes=[{"name": name, "path": "/echo", "backend": "echo"}], backends={"echo": {"builtin": "echo"}}, **keys)


def in_base64(before: str, value: str, behind: str) -> str:
    return base64.b64encode((before + value + behind).encode()).decode()


FORMS = {
    "as it is": lambda value: value,
    "percent-encoded": lambda value: urllib.parse.quote(value, safe=""),
    "percent-encoded, every sign": lambda value: "".join(f"%{byte:02X}" for byte in value.encode()),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64url": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "of a user, in base64": lambda value: in_base64("ann:", value, ""),
    "of another user, in base64": lambda value: in_base64("bo:", value, "\n"),
    "of a third user, in base64": lambda value: in_base64("caro:", value, "xy"),
    "hex": lambda value: value.encode().hex(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rest", ["", "/ä?b&c=d:e+f\"g"])
def test_a_secret_is_found_in_every_form(form, rest):
    value = secret("planted", rest)
    confidential.check("nothing of it", "the text")
    with pytest.raises(Leak, match="the text has the secret `planted`"):
        confidential.check(f"before {FORMS[form](value)} behind", "the text")


# A route's name has at most 100 signs.
@pytest.mark.parametrize("form", [form for form in FORMS if form != "percent-encoded, every sign"])
async def test_a_gateway_that_logs_a_secret_fails_its_test(form):
    value = secret("planted")
    with pytest.raises(Leak, match="the log has the secret `planted`"):
        async with serving(FORMS[form](value)) as gateway:
            assert (await raw.ask(gateway.plain, raw.upgrade("/echo"))).status == 101
            await gateway.event("open")


async def test_a_secret_at_the_admin_address_fails_the_test():
    value = secret("planted")
    with pytest.raises(Leak, match="`planted`"):
        async with serving(value, admin="127.0.0.1:0") as gateway, await raw.Connection.upgraded(gateway.plain):
            async with admin(gateway) as session, session.get("/api/sessions") as response:
                await response.read()
    with pytest.raises(Leak, match="/api/sessions has the secret `planted`|the log has"):
        async with serving(value, admin="127.0.0.1:0") as gateway, await raw.Connection.upgraded(gateway.plain):
            gateway.log.lines.clear()
            await gateway.search()


async def test_a_secret_in_a_log_file_fails_the_test(tmp_path):
    value, file = secret("planted"), tmp_path / "gateway.log"
    with pytest.raises(Leak, match="the log file has the secret `planted`"):
        async with serving("route", log={"format": "json"}) as gateway:
            file.write_text(f"{value}\n")
            gateway.configuration["log"]["file"] = str(file)
    # It would be found again at the end of the test.
    file.unlink()


async def test_a_secret_that_a_command_prints_fails_the_test(tmp_path):
    with pytest.raises(Leak, match="what `gateway explain` prints has the secret `planted`"):
        await command("explain", "--config", tmp_path / secret("planted"), "ws://h/")


@pytest.mark.parametrize("made", [
    lambda: user("ann", "right").split(":")[1].strip(), lambda: basic("ann", "right"), lambda: password("right"),
    lambda: Key("EdDSA").token(), lambda: Key("HS256").token().split(".")[2], lambda: Key("HS256").public()["k"],
], ids=["hash", "Authorization", "password", "token", "signature", "key"])
def test_credentials_of_tests_are_secrets(made):
    with pytest.raises(Leak):
        confidential.check(f"x{made()}x", "the text")


def test_queries_are_found():
    for text in ("GET /a?b", "wss://h/a?b=c behind", '{"path": "/a?x"}', "?token=1"):
        with pytest.raises(Leak, match="has the query"):
            confidential.check_queries(text, "the text")
    for text in ("/a?*", "What is this? Nothing.", '"is it so?"', "a?"):
        confidential.check_queries(text, "the text")
    confidential.check_queries("ws://h/a?b", "the text", {"?b"})


async def test_a_gateway_that_logs_a_query_fails_its_test():
    with pytest.raises(Leak, match=r"the log has the query '\?b=1'"):
        async with serving("route") as gateway:
            gateway.log.lines.append("/a?b=1")


def test_a_value_that_could_be_guessed_is_no_secret():
    with pytest.raises(AssertionError, match="too short"):
        confidential.register("password", "right")
