"""The commands token, send and api, and the help of all."""

import io
import json
from collections.abc import Iterator
from typing import Any

import click
import pytest

from sinch_wrapper._http import httpx
from sinch_wrapper.cli._api import method_of
from sinch_wrapper.cli._app import commands
from sinch_wrapper.cli._operations import arguments, find_operation, snake
from sinch_wrapper.sandbox import all_operations
from tests.helpers.sandbox import Api, RunCli


def test_help_lists_commands_and_exit_codes(run_cli: RunCli) -> None:
    """The help names each command, the exit codes and the variables."""
    code, out, _ = run_cli("--help")

    assert 0 == code
    for word in ("demo", "sandbox", "token", "send", "api", "130", "SINCH_KEY_SECRET"):
        assert word in out


def _commands(group: click.Group = commands, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, *path, name)
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", [*_commands()], ids=" ".join)
def test_help_describes_every_option(run_cli: RunCli, path: tuple[str, ...]) -> None:
    """Each option has a sentence, and nothing of the formatting is left in the help."""
    code, out, _ = run_cli(*path, "--help")
    command: click.Command = commands
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]

    assert (0, False) == (code, "\\b" in out or "\b" in out)
    described = [each for each in command.params if isinstance(each, click.Option)]
    assert [] == [each.name for each in described if not each.help]


def test_version_names_package_and_documents(run_cli: RunCli) -> None:
    """The version is that of the package, with those of the three documents."""
    code, out, _ = run_cli("--version")

    assert 0 == code
    assert out.startswith("sinch-wrapper ")
    assert "Conversation API 1.0, Batch API 1.0, Template API 2.0" in out


def test_without_command_help_is_shown(run_cli: RunCli) -> None:
    """No command at all is a wrong command line, and shows the help."""
    code, out, err = run_cli()

    assert (2, "") == (code, out)
    assert "Commands:" in err


def test_token_says_that_it_works(run_cli: RunCli, api: Api) -> None:
    """The token is fetched; its lifetime is shown, the token is not."""
    assert (
        0,
        "The credentials work: the token is valid for 60 minutes.\n",
        "",
    ) == run_cli("token", api=api)


def test_token_is_shown_on_demand_and_works(run_cli: RunCli, api: Api) -> None:
    """With --show the token is printed, and the API accepts it."""
    _, out, _ = run_cli("token", "--show", api=api)

    url = f"{api.url}/conversation/v1/projects/{api.settings.project_id}/apps"
    headers = {"authorization": f"Bearer {out.strip()}"}
    assert 200 == httpx.get(url, headers=headers).status_code


def test_token_as_json_holds_no_token(run_cli: RunCli, api: Api) -> None:
    """JSON has the lifetime, and the token only with --show."""
    _, hidden, _ = run_cli("token", "--json", api=api)
    _, shown, _ = run_cli("token", "--json", "--show", api=api)

    assert {"expires_in": 3600} == json.loads(hidden)
    assert {"expires_in", "access_token"} == set(json.loads(shown))


def test_send_prints_message_id(run_cli: RunCli, api: Api) -> None:
    """The message arrives in the API under the id that is printed."""
    words = ("send", "--app", api.settings.app_id, "--to", "+46700000001", "--text", "Hi")
    code, out, _ = run_cli(*words, api=api)

    message_id = out.removeprefix("Accepted as message ").removesuffix(".\n")
    params = {"messages_source": "DISPATCH_SOURCE"}
    sent = api.ok("GET", f"/conversation/v1/~/messages/{message_id}", params=params)
    assert (0, {"text_message": {"text": "Hi"}}) == (code, sent["app_message"])


def test_send_as_json_on_another_channel(run_cli: RunCli, api: Api) -> None:
    """--channel takes any channel, in any case, and --json prints the response."""
    words = ("send", "--app", api.settings.app_id, "--to", "46700000001", "--text", "Hi")
    code, out, _ = run_cli(*words, "--channel", "whatsapp", "--json", api=api)

    assert 0 == code
    assert {"message_id", "accepted_time"} == set(json.loads(out))


def test_api_calls_operation_with_parameters(run_cli: RunCli, api: Api) -> None:
    """Parameters reach the path, and the response is printed as received."""
    words = ("api", "App_GetApp", "--param", f"app_id={api.settings.app_id}")
    code, out, _ = run_cli(*words, api=api)

    expected = api.ok("GET", f"/conversation/v1/~/apps/{api.settings.app_id}")
    assert (0, expected) == (code, json.loads(out))


def test_api_takes_query_in_either_spelling(run_cli: RunCli, api: Api) -> None:
    """A parameter may be written as in the document or in snake case."""
    words = ("api", "Batch_GetBatchStatusesByMetadata", "--param", "metadataKey=a")
    code, out, _ = run_cli(*words, "--param", "metadata_value=b=c", api=api)

    assert (0, []) == (code, json.loads(out))


@pytest.mark.parametrize("source", ["inline", "file", "stdin"])
def test_api_reads_body(
    run_cli: RunCli, api: Api, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """The body comes from the command line, a file or stdin."""
    body = json.dumps({"display_name": f"From {source}", "channel_credentials": []})
    path = tmp_path / "body.json"
    path.write_text(body, encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(body))
    given = {"inline": body, "file": f"@{path}", "stdin": "@-"}[source]

    code, out, _ = run_cli("api", "App_CreateApp", "--body", given, api=api)

    assert (0, f"From {source}") == (code, json.loads(out)["display_name"])


def test_api_prints_empty_object_for_no_content(run_cli: RunCli, api: Api) -> None:
    """An operation without content prints an empty object."""
    app_id = api.app()
    code, out, _ = run_cli("api", "app_deleteapp", "--param", f"app_id={app_id}", api=api)

    assert (0, "{}\n") == (code, out)


@pytest.mark.parametrize("spec", all_operations(), ids=lambda spec: spec.id)
def test_every_operation_has_a_method(spec: Any) -> None:
    """Each operation of the documents is found by its id, and has a method to call."""
    from sinch_wrapper import Endpoints, Sinch

    with Sinch(
        project_id="p", key_id="k", key_secret="s", endpoints=Endpoints.sandbox("https://h")
    ) as sinch:
        assert callable(method_of(sinch, find_operation(spec.id)))


def test_parameters_get_their_types() -> None:
    """Integers, booleans and lists are read from their strings."""
    spec = find_operation("Conversation_UpdateConversation")
    listing = find_operation("Conversation_ListConversations")

    assert {
        "conversation_id": "c",
        "update_mask": ["a", "b"],
    } == arguments(spec, ["conversation_id=c", "update_mask=a,b"])
    assert {
        "only_active": True,
        "page_size": 5,
    } == arguments(listing, ["only_active=TRUE", "page_size=5"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("metadataKey", "metadata_key"),
        ("Project Settings", "project_settings"),
        ("SendBatchV1Beta", "send_batch_v1_beta"),
        ("page_size", "page_size"),
    ],
)
def test_snake_case_is_that_of_the_generator(name: str, expected: str) -> None:
    """Names are spelled as in the generated code."""
    assert expected == snake(name)
