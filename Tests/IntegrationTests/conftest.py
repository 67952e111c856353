"""Finds the gateway, and runs each `async def` test on an event loop of its own."""

import asyncio
import inspect
import os
import pathlib

import pytest

import certificates
import confidential
import gateway_process


def pytest_configure(config):
    # Nothing here may be sent through a proxy that the environment names.
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        os.environ.pop(name, None)


def pytest_sessionstart(session):
    if not gateway_process.BINARY.exists():
        pytest.exit(f"{gateway_process.BINARY} is not there: build it, or set GATEWAY_BIN", returncode=2)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(autouse=True)
def secrets_of_one_test(request):
    """Looks for them also in the logs of gateways that the test started by itself."""
    with confidential.scope():
        yield
        folder = request.node.funcargs.get("tmp_path")
        for file in folder.rglob("*.log*") if folder else ():
            if file.is_file():
                confidential.check(file.read_text(errors="replace"), file.name)


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> certificates.Authority:
    """A certificate authority that the tests trust."""
    return certificates.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory) -> pathlib.Path:
    """The folder for screenshots of pages: GATEWAY_TEST_SCREENSHOTS, else a temporary one."""
    chosen = os.environ.get("GATEWAY_TEST_SCREENSHOTS")
    if not chosen:
        return tmp_path_factory.mktemp("screenshots")
    folder = pathlib.Path(chosen)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
