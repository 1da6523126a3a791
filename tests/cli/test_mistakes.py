"""Every mistake and failure is one line on stderr and an exit code."""

import pytest

from sinch_wrapper.sandbox import parse_fault
from tests.helpers.sandbox import Api, RunCli, StartSandbox, environment_of

MISTAKES = [
    (("nonsense",), "No such command"),
    (("send",), "Missing option"),
    (("send", "--to", "+46700000001", "--text", "Hi"), "Missing option '--app'"),
    (("send", "--app", "A", "--to", "", "--text", "Hi"), "empty"),
    (("api", "Batch_SendBach"), "Did you mean Batch_SendBatch"),
    (("api", "SendMessage"), "Did you mean Messages_SendMessage"),
    (("api", "xyzzy"), "There is no operation 'xyzzy'"),
    (("api", "App_GetApp"), "needs --param app_id=VALUE"),
    (("api", "App_GetApp", "--param", "app_id"), "NAME=VALUE"),
    (("api", "App_GetApp", "--param", "app_id="), "app_id"),
    (("api", "App_GetApp", "--param", "application=x"), "it has app_id"),
    (("api", "Contact_ListContacts", "--param", "page_size=ten"), "of type integer"),
    (("api", "Messages_ListMessages", "--param", "start_time=noon"), "must be a time"),
    (("api", "App_ListApps", "--body", "{}"), "takes no --body"),
    (("api", "App_CreateApp"), "needs --body"),
    (("api", "App_CreateApp", "--body", "{"), "--body is not JSON"),
    (("api", "App_CreateApp", "--body", "[]"), "must be a JSON object"),
    (("api", "App_CreateApp", "--body", "@/none"), "No such file"),
    (("sandbox", "--fault", "x:explode"), "OPERATION:KIND"),
    (("sandbox", "--port", "70000"), "--port"),
    (("sandbox", "--drain-rate", "nan"), "--drain-rate must be"),
    (("sandbox", "--callback-delay", "inf"), "--callback-delay must be"),
    (("sandbox", "--host", ""), "not a host name"),
    (("sandbox", "--host", "a\udcff"), "not a host name"),
    (("callbacks", "serve", "--store", "x", "--host", "a\udcff"), "not a host name"),
    (("sned",), "Did you mean 'send'? See"),
    (("api", "App_GetApp", "--param", "app_id=A", "--param", "app_id=B"), "given twice"),
    (("api", "App_CreateApp", "--body", "1" * 5000), "too many digits"),
    (("api", "App_CreateApp", "--body", "[" * 200_000), "nested too deeply"),
]


@pytest.mark.parametrize(("words", "hint"), MISTAKES)
def test_mistake_is_one_line_and_code_2(
    run_cli: RunCli, api: Api, words: tuple[str, ...], hint: str
) -> None:
    """A wrong command line gives one clear line on stderr and nothing on stdout."""
    code, out, err = run_cli(*words, api=api)

    assert (2, "", 1) == (code, out, err.count("\n"))
    assert hint in err
    assert "--help" in err


@pytest.mark.parametrize(
    ("environment", "words", "hint"),
    [
        ({}, (), "SINCH_PROJECT_ID"),
        ({"SINCH_PROJECT_ID": "p", "SINCH_KEY_ID": "k"}, (), "SINCH_KEY_SECRET"),
        ({"SINCH_PROJECT_ID": "p", "SINCH_KEY_ID": "k", "SINCH_KEY_SECRET": "s"}, (), "region"),
        (
            {"SINCH_PROJECT_ID": "p", "SINCH_KEY_ID": "k", "SINCH_KEY_SECRET": "s"},
            ("--region", "mars"),
            "us, eu, br",
        ),
    ],
)
@pytest.mark.parametrize("command", [("token",), ("api", "App_ListApps")])
def test_missing_setting_is_named(
    run_cli: RunCli,
    command: tuple[str, ...],
    environment: dict[str, str],
    words: tuple[str, ...],
    hint: str,
) -> None:
    """A setting that is missing or unknown is named in one line, and the code is 1."""
    code, out, err = run_cli(*command, *words, **environment)

    assert (1, "", 1) == (code, out, err.count("\n"))
    assert hint in err


@pytest.mark.parametrize("way", ["flag", "variable"])
def test_sandbox_wins_over_a_region(run_cli: RunCli, api: Api, way: str) -> None:
    """A command with a sandbox, by flag or variable, never reaches production."""
    url = "http://127.0.0.1:9"
    environment = environment_of(api) | ({"SINCH_SANDBOX_URL": url} if way == "variable" else {})
    words = ("--sandbox", url) if way == "flag" else ()
    code, out, err = run_cli("token", *words, "--region", "eu", **environment)
    assert (1, "", True) == (code, out, "127.0.0.1" in err)
    assert "us, eu, br" in run_cli("token", *words, "--region", "mars", **environment)[2]


def test_unreachable_endpoint_is_one_line(run_cli: RunCli, api: Api) -> None:
    """An endpoint that does not respond is named, and nothing was done."""
    environment = environment_of(api) | {"SINCH_SANDBOX_URL": "http://127.0.0.1:9"}
    code, out, err = run_cli("token", **environment)

    assert (1, "", 1) == (code, out, err.count("\n"))
    assert "127.0.0.1" in err


def test_refused_credentials_are_one_line(run_cli: RunCli, api: Api) -> None:
    """A wrong secret fails with code 1 and is not shown."""
    environment = environment_of(api) | {"SINCH_KEY_SECRET": "not-the-secret"}
    code, _, err = run_cli("token", **environment)

    assert (1, 1) == (code, err.count("\n"))
    assert "not-the-secret" not in err


def test_api_error_is_one_line(run_cli: RunCli, api: Api) -> None:
    """An error of the API gives code 1 and its status."""
    code, out, err = run_cli("api", "App_GetApp", "--param", "app_id=none", api=api)

    assert (1, "", 1) == (code, out, err.count("\n"))
    assert "404" in err


def test_lost_response_is_unknown_outcome(run_cli: RunCli, start_sandbox: StartSandbox) -> None:
    """When the response to a send is lost the code is 3, because it may have been sent."""
    api = start_sandbox(faults=(parse_fault("Messages_SendMessage:drop"),))
    words = ("send", "--app", api.settings.app_id, "--to", "+46700000001", "--text", "Hi")

    code, _, err = run_cli(*words, api=api)

    assert (3, 1) == (code, err.count("\n"))
