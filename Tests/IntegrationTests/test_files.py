"""Files that the configuration names: those that are not regular files, and those that change while the gateway runs."""

import asyncio
import os
import signal
import socket
import ssl

import aiohttp
import pytest

from admin import admin
from certificates import Authority
from gateway_process import Gateway, command
from peers import client

ECHO = {"routes": [{"path": "/echo", "backend": "echo"}], "backends": {"echo": {"builtin": "echo"}}}


def listeners(identity) -> list[dict]:
    return [{"address": "127.0.0.1:0"}, {"address": "127.0.0.1:0", "tls": {"certificates": [identity.configuration()]}}]


async def lives(session) -> bool:
    await session.send("still there?")
    return await session.recv() == "still there?"


def make_fifo(path):
    os.mkfifo(path)


def make_directory(path):
    os.mkdir(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def make_device(path):
    os.symlink("/dev/zero", path)


KINDS = pytest.mark.parametrize(
    ("make", "what"),
    [(make_fifo, "a FIFO"), (make_directory, "a directory"), (make_socket, "a socket"), (make_device, "a device")],
    ids=["FIFO", "directory", "socket", "device"],
)


@KINDS
async def test_a_certificate_that_is_no_file_stops_nothing(tmp_path, make, what):
    identity = Authority(tmp_path).issue("first.test")
    async with Gateway(**ECHO, listeners=listeners(identity), admin="127.0.0.1:0") as running:
        async with client(running.wss("/echo")) as session, admin(running) as http:
            identity.chain.unlink()
            # Nobody ever writes to it.
            make(identity.chain)
            running.signal(signal.SIGHUP)
            reason = (await running.event("reload-refused"))["reason"]
            assert reason.endswith(f"cannot read {identity.chain}: it is {what}, not a regular file")
            async with http.get("/readyz") as response:
                assert response.status == 200
            # It is found by itself, too, and told of once.
            assert what in (await running.event("certificates-refused"))["reason"]
            assert await lives(session)
            async with client(running.wss("/echo")) as another:
                assert await lives(another)
            running.signal(signal.SIGTERM)
            await running.event("draining")
        assert await running.exited() == 0
        assert len(running.log.matching("certificates-refused")) == 1


async def test_a_configuration_that_is_a_fifo_is_refused_by_a_reload():
    async with Gateway(**ECHO, admin="127.0.0.1:0") as running:
        running.file.unlink()
        os.mkfifo(running.file)
        running.signal(signal.SIGHUP)
        reason = (await running.event("reload-refused"))["reason"]
        assert reason == f"{running.file}: cannot be read: it is a FIFO, not a regular file"
        async with admin(running) as http, http.post("/api/reload?dry-run=true") as response:
            assert response.status == 422
            assert reason in await response.text()


@KINDS
async def test_a_start_and_a_check_name_it(tmp_path, make, what):
    identity = Authority(tmp_path).issue("first.test")
    identity.key.unlink()
    make(identity.key)
    running = Gateway(**ECHO, listeners=listeners(identity))
    try:
        running.file = running.folder / "gateway.conf"
        running.write()
        for name in ("check", "run"):
            status, _, errors = await command(name, "--config", running.file)
            assert status == 1
            assert f"cannot read {identity.key}: it is {what}, not a regular file" in errors
    finally:
        running._folder.cleanup()


async def test_a_check_reads_what_a_shell_pipes():
    running = Gateway(**ECHO)
    try:
        running.file = running.folder / "gateway.conf"
        running.write()
        fifo = running.folder / "fifo"
        os.mkfifo(fifo)
        writer = asyncio.create_task(asyncio.to_thread(fifo.write_text, running.file.read_text()))
        status, output, errors = await command("check", "--config", fifo)
        await writer
        assert status == 0, errors
        assert output.endswith(": OK\n")
    finally:
        running._folder.cleanup()


async def test_a_listener_may_be_added_by_the_name_of_a_host():
    async with Gateway(**ECHO) as running:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        before = running.configuration["listeners"]
        await running.reload(listeners=[*before, {"address": f"localhost:{port}"}])
        async with client(f"ws://localhost:{port}/echo") as session:
            assert await lives(session)
        running.write(listeners=[*before, {"address": "nowhere.invalid:80"}])
        running.signal(signal.SIGHUP)
        reason = (await running.event("reload-refused"))["reason"]
        assert reason.startswith("cannot listen on nowhere.invalid:80: ")
        async with client(running.ws("/echo")) as session:
            assert await lives(session)
