"""The command doctor: each thing that calls depend on, well, and broken once."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sinch_wrapper.cli._doctor_rules import (
    Finding,
    clock_finding,
    mode_finding,
    region_finding,
    webhook_finding,
)
from sinch_wrapper.cli._reachability import status_of
from sinch_wrapper.sandbox import Server, Settings
from tests.helpers.sandbox import Api, Inbox, RunCli, StartSandbox, environment_of
from tests.helpers.web_pages import Page, serving

CHECKS = ["credentials", "region", "clock", "proxy", "tls", "webhook", "app mode"]
SMS = {"channel": "SMS", "static_bearer": {"claimed_identity": "x", "token": "t"}}
NEW_MODE = {"processing_mode": "NEW", "channel_credentials": [SMS]}
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, *map(str.upper, PROXIES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def examined(run_cli: RunCli, *words: str, **environ: str) -> tuple[int, dict[str, Finding]]:
    """The exit code of `doctor` and its findings; of several webhooks the last one."""
    code, out, err = run_cli("doctor", "--json", *words, **environ)
    assert "" == err
    return code, {each["check"]: Finding(**each) for each in json.loads(out)}


def wrong(found: dict[str, Finding]) -> list[str]:
    """The names of what is not well."""
    assert [] == [each for each in found.values() if each.status == "wrong" and not each.remedy]
    return [name for name, each in found.items() if each.status == "wrong"]


def test_all_is_well(run_cli: RunCli, api: Api, inbox: Inbox) -> None:
    """With everything in place each line is ok and the exit code 0."""
    app = api.settings.app_id
    webhook = api.webhook(app, inbox.url, "MESSAGE_DELIVERY")
    code, out, err = run_cli("doctor", "--app", app, api=api)
    assert (0, "", 7) == (code, err, out.count("\n"))
    assert ["ok"] * 7 == [line.split()[0] for line in out.splitlines()]
    assert CHECKS == [line[13:24].strip() for line in out.splitlines()]
    assert "(405); Sinch may see something else" in out
    assert api.settings.key_secret not in out
    api("DELETE", f"/conversation/v1/~/webhooks/{webhook}")


def test_what_cannot_be_checked_is_not_well(run_cli: RunCli, api: Api) -> None:
    """Without an app the two lines about it say so, and the exit code is 1."""
    code, found = examined(run_cli, **environment_of(api))
    open_ = [name for name, each in found.items() if each.status == "not checked"]
    assert (1, [], ["webhook", "app mode"]) == (code, wrong(found), open_)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"SINCH_KEY_SECRET": "another"}, "401"),
        ({"SINCH_PROJECT_ID": "another"}, "403"),
        ({"SINCH_KEY_ID": ""}, "missing in the environment: SINCH_KEY_ID"),
    ],
)
def test_credentials_that_are_refused(
    run_cli: RunCli, api: Api, change: dict[str, str], said: str
) -> None:
    """A key, a project or a part that is missing is the only line that is wrong."""
    app = ("--app", api.settings.app_id)
    code, found = examined(run_cli, *app, **(environment_of(api) | change))
    assert (1, ["credentials"], True) == (code, wrong(found), said in found["credentials"].seen)


def test_an_app_of_another_region(run_cli: RunCli, api: Api) -> None:
    """The line names the region in which the app is, or that none has it."""
    body = {"display_name": "Elsewhere", "channel_credentials": []}
    app = api.ok("POST", "/eu/conversation/v1/~/apps", json=body)["id"]
    code, found = examined(run_cli, "--app", app, **environment_of(api))
    assert (1, ["region"], True) == (
        code, wrong(found), found["region"].remedy.startswith("--region eu,"),
    )  # fmt: skip
    assert "but in eu" in found["region"].seen

    nowhere = ("--app", "01J0SANDB0X0APP0000000ZZZZ")
    assert "in any region" in examined(run_cli, *nowhere, **environment_of(api))[1]["region"].seen


def test_a_clock_that_is_off(run_cli: RunCli, start_sandbox: StartSandbox) -> None:
    """A server an hour ahead means that the clock here is behind."""
    api = start_sandbox()
    api("POST", "/_sandbox/clock", json={"advance": 3600})
    code, found = examined(run_cli, "--app", api.settings.app_id, **environment_of(api))
    assert (1, ["clock"], True) == (code, wrong(found), "s behind" in found["clock"].seen)


def test_a_proxy_that_does_not_answer(run_cli: RunCli, api: Api) -> None:
    """The proxy is named without its password, and what lies behind it is not checked."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    proxy = {"http_proxy": f"http://user:password@127.0.0.1:{port}", "no_proxy": ""}
    code, found = examined(run_cli, **environment_of(api), **proxy)
    assert (1, ["proxy"]) == (code, wrong(found))
    assert found["proxy"].seen.startswith(f"127.0.0.1:{port}: ")
    assert "password" not in str(found)


def test_a_certificate_that_nobody_trusts(run_cli: RunCli) -> None:
    """A server with its own authority is trusted as soon as SSL_CERT_FILE names it."""
    with Server(Settings(), tls=True) as server:
        api = Api(server)
        api.http.close()
        code, found = examined(run_cli, **environment_of(api))
        assert (1, ["tls"], True) == (code, wrong(found), "SSL_CERT_FILE" in found["tls"].remedy)

        # A process reads the authorities once.
        environ = os.environ | environment_of(api) | {"SSL_CERT_FILE": str(server.certificate)}
        command = [sys.executable, "-m", "sinch_wrapper.cli", "doctor"]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert "is trusted, by SSL_CERT_FILE" in done.stdout
    assert "wrong" not in done.stdout


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Page(b"", status=404), "responds with 404"),
        (Page(b"", status=500), "responds with 500"),
        (Page(b"", {"Location": "/"}, status=302), "responds with 302"),
        (None, "cannot be reached from here"),
    ],
)
def test_a_webhook_that_does_not_take_callbacks(
    run_cli: RunCli, api: Api, page: Page | None, said: str
) -> None:
    """An address that is closed, moved, absent or broken is wrong; its query is not shown."""
    app = api.app()
    with serving() as (url, pages):
        target = f"{url}/hook?key=hidden" if page else "http://127.0.0.1:1/hook?key=hidden"
        pages["/hook?key=hidden"] = page or b""
        api.webhook(app, target, "MESSAGE_DELIVERY")
        code, found = examined(run_cli, "--app", app, **environment_of(api))
    assert (1, ["webhook"], True) == (code, wrong(found), said in found["webhook"].seen)
    assert "hidden" not in str(found)


def test_a_channel_that_is_not_ready(run_cli: RunCli, api: Api) -> None:
    """An app whose channel is pending cannot send on it yet."""
    app = api.app(channel_credentials=[SMS], processing_mode="CONVERSATION")
    code, found = examined(run_cli, "--app", app, **environment_of(api))
    assert (1, ["app mode"]) == (code, wrong(found))
    assert "CONVERSATION, and SMS is PENDING" == found["app mode"].seen


def test_a_profile_is_named_as_the_source(run_cli: RunCli, api: Api, tmp_path: Path) -> None:
    """Where the key comes from is on its line, and its app is the one that is looked at."""
    found = api.settings
    secret = tmp_path / "secret.txt"
    secret.write_text(found.key_secret, encoding="utf-8")
    words = ("--project", found.project_id, "--key-id", found.key_id, "--app", found.app_id)
    login = ("login", "--plain", *words, "--key-secret", f"@{secret}", "--sandbox", api.url)
    assert 0 == run_cli(*login)[0]
    code, lines = examined(run_cli)
    assert (0, True) == (code, "profile default" in lines["credentials"].seen)


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "https://[x", "http://127.0.0.1:99999/x", "http://127.0.0.1:1/a b", ""]
)
def test_a_target_that_is_not_a_url_ends_in_words(url: str) -> None:
    """Whatever the API has as a target, asking it raises nothing."""
    assert isinstance(status_of(url), str)


def test_an_api_that_does_not_answer(run_cli: RunCli, api: Api) -> None:
    """Without any response nothing is well, and no key is called wrong."""
    nowhere = {"SINCH_SANDBOX_URL": "http://127.0.0.1:1"}
    code, found = examined(run_cli, **(environment_of(api) | nowhere))
    assert (1, [], "not checked") == (code, wrong(found), found["credentials"].status)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (webhook_finding("http://10.0.0.1/x", 405, is_sandbox=False), "wrong"),
        (webhook_finding("http://localhost/x", 405, is_sandbox=False), "wrong"),
        (webhook_finding("https://[x", 405, is_sandbox=False), "wrong"),
        (webhook_finding("https://example.com:99999/x", 405, is_sandbox=False), "wrong"),
        (webhook_finding("https://hooks.example.com/x", 405, is_sandbox=False), "ok"),
        (webhook_finding("https://hooks.example.com/x", 200, is_sandbox=False), "ok"),
        (clock_finding(-29.0), "ok"),
        (clock_finding(31.0), "wrong"),
        (clock_finding(None), "not checked"),
        (region_finding("in us", None, [], ["eu"]), "wrong"),
        (mode_finding({}, is_sandbox=False), "wrong"),
        (mode_finding(NEW_MODE, is_sandbox=False), "ok"),
    ],
)  # fmt: skip
def test_rules(found: Finding, status: str) -> None:
    """What the sandbox on this machine cannot be like."""
    assert status == found.status
