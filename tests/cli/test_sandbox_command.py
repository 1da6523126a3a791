"""The command `sinch-wrapper sandbox`: its options reach the sandbox that it serves."""

import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sinch_wrapper._http import httpx
from tests.helpers.sandbox import RunCli, eventually

CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("SINCH_")}


@contextmanager
def _sandbox(*words: str) -> Iterator[tuple[dict[str, str], subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "sinch_wrapper.cli", "sandbox", "--port", "0", *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN
    ) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline()), process
        finally:
            process.kill()


def _ask(client: httpx.Client, url: str) -> Any:
    responses: list[httpx.Response] = []

    def is_up() -> bool:
        try:
            responses.append(client.get(url))
        except httpx.ConnectError:
            return False
        return True

    eventually(is_up)
    return responses[-1].json()


def test_options_reach_the_sandbox() -> None:
    """Start, region, error shape, time and limits are as the command line says."""
    words = ["--json", "--start", "empty", "--region", "eu", "--error-shape", "flat", "--frozen"]
    with (
        _sandbox(*words, "--request-rate", "1") as (announced, _),
        httpx.Client(timeout=60) as client,
    ):
        url = announced["SINCH_SANDBOX_URL"]
        client.auth = (announced["SINCH_KEY_ID"], announced["SINCH_KEY_SECRET"])
        clock = _ask(client, f"{url}/_sandbox/clock")
        about = _ask(client, f"{url}/_sandbox")
        apps = f"{url}/conversation/v1/projects/{announced['SINCH_PROJECT_ID']}/apps"
        first, second = client.get(apps), client.get(apps)

    assert (True, "eu") == (clock["frozen"], about["region"])
    assert ([], 429) == (first.json()["apps"], second.json()["code"])


def test_tls_announces_the_certificate_and_removes_it() -> None:
    """The variable to export names a certificate that is good, and gone after Ctrl-C."""
    with _sandbox("--json", "--tls") as (announced, process):
        file = announced["SSL_CERT_FILE"]
        context = ssl.create_default_context(cafile=file)
        with httpx.Client(verify=context, trust_env=False, timeout=60) as client:
            _ask(client, f"{announced['SINCH_SANDBOX_URL']}/_sandbox")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)

    assert announced["SINCH_SANDBOX_URL"].startswith("https://")
    assert (130, "Interrupted", False) == (
        process.returncode,
        json.loads(err)["error"],
        os.path.exists(file),  # noqa: PTH110 (a string from JSON)
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("name", "serving"), [("SIGTERM", False), ("SIGTERM", True), ("SIGHUP", True)]
)
def test_signal_leaves_no_file_behind(name: str, serving: bool) -> None:  # noqa: FBT001 (parametrised)
    """A sandbox that is told to end deletes its certificate, also while it is still starting."""
    with _sandbox("--json", "--tls") as (announced, process):
        file = announced["SSL_CERT_FILE"]
        if serving:
            context = ssl.create_default_context(cafile=file)
            with httpx.Client(verify=context, trust_env=False, timeout=60) as client:
                _ask(client, f"{announced['SINCH_SANDBOX_URL']}/_sandbox")
        process.send_signal(getattr(signal, name))
        _, err = process.communicate(timeout=60)

    assert (0, "", False) == (process.returncode, err, os.path.exists(file))  # noqa: PTH110 (as above)


def test_warning_goes_to_stderr_and_names_are_allowed() -> None:
    """Beyond loopback a line on stderr says who can steer it; --allow-host adds a name."""
    words = ["--json", "--host", "0.0.0.0", "--allow-host", "sandbox.internal"]  # noqa: S104 (meant)
    with (
        _sandbox(*words, "--remote-callbacks") as (announced, process),
        httpx.Client(timeout=60) as client,
    ):
        port = announced["SINCH_SANDBOX_URL"].rpartition(":")[2]
        url = f"http://127.0.0.1:{port}/_sandbox"
        _ask(client, url)
        statuses = [
            client.get(url, headers={"host": host}).status_code
            for host in ("sandbox.internal", "evil.example")
        ]
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)

    assert ([200, 403], 1) == (statuses, err.count("\n"))
    assert "can read and steer it, and make it post to any address" in err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--callback-duplicates", "2"), "--callback-duplicates"),
        (("--start", "full"), "--start"),
        (("--allow-host", "http://a"), "--allow-host"),
        (("--host", "203.0.113.1"), "--host 203.0.113.1"),
    ],
)
def test_bad_options_are_named(run_cli: RunCli, words: tuple[str, ...], named: str) -> None:
    """An option out of range and an address that is not ours are one line."""
    code, _, err = run_cli("sandbox", *words)

    assert (2, 1) == (code, err.count("\n"))
    assert named in err
