"""`api`: its list of operations, all pages, the line for curl; and the groups over it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper.cli._curl import curl_line, is_secret
from sinch_wrapper.cli._operations import find_operation, lists
from sinch_wrapper.cli._send import recipient_of, send
from sinch_wrapper.sandbox import all_operations
from tests.helpers.sandbox import Api, RunCli, environment_of, eventually

GROUPS = {
    "apps": "App",
    "webhooks": "Webhooks",
    "contacts": "Contact",
    "conversations": "Conversation",
}
IDENTITY = '[{"channel": "SMS", "identity": "+46700000001"}]'
CONTACT = ("contacts", "create", "--language", "EN", "--channel-identities", IDENTITY)


def test_operations_are_listed(run_cli: RunCli) -> None:
    """Every operation is a line; a word chooses those that have it; JSON has all facts."""
    _, everything, _ = run_cli("api", "--list")
    _, some, _ = run_cli("api", "--list", "WEBHOOK")
    _, same, _ = run_cli("api", "webhook", "--list")
    _, found, _ = run_cli("api", "--list", "webhook", "--json")

    assert len(all_operations()) == len(everything.splitlines())
    assert some == same
    assert [each["id"] for each in json.loads(found)] == [
        each.split()[0] for each in some.splitlines()
    ]
    assert {"id", "api", "method", "path", "summary"} == set(json.loads(found)[0])
    code, out, err = run_cli("api", "--list", "xyzzy")
    assert (1, "", True) == (code, out, "'xyzzy'" in err)


def test_lists_are_known() -> None:
    """What lists something is known before anything is sent."""
    found = {each.id for each in all_operations() if lists(each)}
    assert {each.id for each in all_operations() if "_List" in each.id} <= found
    assert not {each for each in found if each.endswith(("_GetApp", "_SendMessage", "_GetContact"))}


def test_all_pages_are_got(run_cli: RunCli, api: Api) -> None:
    """--paginate prints each item of all pages, as the API has it."""
    app = api.app(processing_mode="CONVERSATION")
    for number in range(5):
        body = {"language": "EN", "display_name": f"Page {number}"}
        body["channel_identities"] = [{"channel": "SMS", "identity": f"4670000010{number}"}]  # type: ignore[assignment]  # JSON
        api.ok("POST", "/conversation/v1/~/contacts", json=body)
    words = ("api", "Contact_ListContacts", "--param", "page_size=2", "--paginate")
    code, out, _ = run_cli(*words, api=api)
    names = {json.loads(line)["display_name"] for line in out.splitlines()}

    assert 0 == code
    assert {f"Page {number}" for number in range(5)} <= names
    assert app not in out


@pytest.mark.parametrize("operation", ["App_GetApp", "Messages_SendMessage"])
def test_what_lists_nothing_is_not_paginated(run_cli: RunCli, api: Api, operation: str) -> None:
    """Nothing is sent when there can be no pages."""
    spec = find_operation(operation)
    body = ("--body", "{}") if spec.body else ("--param", "app_id=A")
    code, out, err = run_cli("api", operation, *body, "--paginate", api=api)
    assert (2, "", True) == (code, out, "lists nothing" in err)


def test_the_line_for_curl_does_the_same(run_cli: RunCli, api: Api, tmp_path: Path) -> None:
    """A shell sends exactly what `api` would, and the line has neither token nor secret."""
    body = {
        "language": "EN",
        "display_name": 'it\'s $HOME `id` \\ "x" \u00e5 !',
        "channel_identities": [{"channel": "SMS", "identity": "+46700000099"}],
    }
    words = ("api", "Contact_CreateContact", "--body", json.dumps(body), "--curl")
    code, line, note = run_cli(*words, api=api)
    assert (0, 1, True) == (code, line.count("\n"), "Nothing was sent" in note)
    assert api.settings.key_secret not in line

    token = run_cli("token", "--show", api=api)[1].strip()
    script = tmp_path / "curl.sh"
    script.write_text(line.replace("curl ", "curl -sS ", 1), encoding="utf-8")
    run = subprocess.run(
        ["bash", str(script)],  # noqa: S607 (that of the machine)
        env=environment_of(api) | {"SINCH_TOKEN": token, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    assert body["display_name"] == json.loads(run.stdout)["display_name"]


def test_curl_needs_no_credentials_but_a_place(run_cli: RunCli) -> None:
    """Project and token are variables; without a region there is no host to name."""
    words = ("api", "Contact_ListContacts", "--param", "identity=+46700000001", "--curl")
    code, out, _ = run_cli(*words, "--region", "eu")
    host = "https://eu.conversation.api.sinch.com/v1/"
    assert (0, True) == (code, out.startswith(f"curl -X GET '{host}"))
    assert "\"$SINCH_PROJECT_ID\"'/contacts?identity=%2B46700000001'" in out
    code, out, err = run_cli(*words)
    assert (1, "", True) == (code, out, "--region" in err)


class Call:
    """A call with secrets in its body."""

    method, path = "POST", "/v1/x"
    params: dict[str, str] = {}  # noqa: RUF012 (nobody changes it)
    json = {  # noqa: RUF012 (nobody changes it)
        "secret": "planted",
        "a": [{"client_secret": "planted"}, {"client_secret": "planted"}],
        "static_bearer": {"token": "planted", "claimed_identity": "me"},
        "page_token": "next",
    }


def test_secrets_of_a_body_are_variables() -> None:
    """Each secret has a variable of its own; what is called a token and is none stays."""
    line, variables = curl_line(Call(), "https://h", "p")
    assert "planted" not in line
    assert (
        "SINCH_TOKEN",
        "BODY_SECRET",
        "BODY_CLIENT_SECRET",
        "BODY_CLIENT_SECRET_2",
        "BODY_TOKEN",
    ) == variables
    assert """"secret": "'"$BODY_SECRET"'", """ in line
    assert '"page_token": "next"' in line


def test_secret_fields_of_the_documents_are_known() -> None:
    """Every field that holds a secret is known by its name, and no other."""
    secret = (
        "secret",
        "client_secret",
        "callback_secret",
        "password",
        "token",
        "api_key",
        "aes_key",
    )
    assert all(
        map(is_secret, (*secret, "kakaotalk_sender_key", "secret_for_overridden_callback_urls"))
    )
    assert not any(
        map(is_secret, ("page_token", "next_page_token", "flow_token", "key", "item_key"))
    )


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_is_over_the_same_operations(run_cli: RunCli, group: str) -> None:
    """list, get, create and delete are operations of the documents, with their parameters."""
    for verb in ("list", "get", "create", "delete"):
        many = group if verb == "list" else group.removesuffix("s")
        spec = find_operation(f"{GROUPS[group]}_{verb}{many}")
        _, out, _ = run_cli(group, verb, "--help")
        names = [each["name"] for each in spec.parameters_in("query")]
        shown = [
            name.replace("_", "-")
            for name in names
            if name not in {"page_token", "app_id", "contact_id"}
        ]
        assert [] == [name for name in shown if f"--{name} " not in out]


def test_things_are_created_listed_shown_and_deleted(run_cli: RunCli, api: Api) -> None:
    """The way of a contact, an app and a webhook through all commands."""
    code, out, _ = run_cli(*CONTACT, "--display-name", "Ada", "--json", api=api)
    contact = json.loads(out)["id"]
    assert (0, "Ada") == (code, json.loads(run_cli("contacts", "get", contact)[1])["display_name"])
    assert f"\n{contact}  EN " in run_cli("contacts", "list")[1]
    assert 1 == len(run_cli("contacts", "list", "--limit", "1", "--json")[1].splitlines())

    code, out, err = run_cli("contacts", "delete", contact)
    assert (2, "", True) == (code, out, "--yes" in err)
    assert (0, f"Deleted contact {contact}.\n") == run_cli("contacts", "delete", contact, "--yes")[
        :2
    ]
    assert 1 == run_cli("contacts", "get", contact)[0]


def test_a_webhook_takes_its_secret_from_a_file_alone(
    run_cli: RunCli, api: Api, tmp_path: Path
) -> None:
    """A secret on the command line is refused; from a file it reaches the API, with the list."""
    app, file = api.app(), tmp_path / "secret"
    file.write_text("planted\n", encoding="utf-8")
    words: tuple[str, ...] = ("webhooks", "create", "--app", app)
    words += ("--target", "https://example.com/c")
    words += ("--target-type", "HTTP", "--triggers", "MESSAGE_INBOUND,MESSAGE_DELIVERY")
    code, out, err = run_cli(*words, "--secret", "planted", api=api)
    assert (2, "", False) == (code, out, "planted" in err)
    code, out, _ = run_cli(*words, "--secret", f"@{file}", "--json")
    made = json.loads(out)
    assert (0, "planted") == (code, made["secret"])
    assert ["MESSAGE_INBOUND", "MESSAGE_DELIVERY"] == made["triggers"]
    assert f"\n{made['id']}  HTTP " in run_cli("webhooks", "list", "--app", app)[1]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("contacts", "create", "--language", "EN"), "give --channel-identities, or --body"),
        ((*CONTACT, "--body", '{"language": "EN"}'), "--language is in --body as well"),
        ((*CONTACT, "--channel-priority", "[1"), "--channel-priority is not JSON"),
        (("contacts", "create", "--body", "[]"), "must be a JSON object"),
        (("contacts", "list", "--page-size", "x"), "--page-size must be of type integer"),
        (("conversations", "list", "--only-active", "x"), "--only-active must be of type boolean"),
        (("webhooks", "list"), "--app"),
        (("apps", "get"), "APP_ID"),
        (("api",), "--list"),
    ],
)
def test_mistakes_are_named_before_anything_is_sent(
    run_cli: RunCli, api: Api, words: tuple[str, ...], hint: str
) -> None:
    """A wrong command line is code 2 and one line that names the option."""
    code, out, err = run_cli(*words, api=api)
    assert (2, "", 1) == (code, out, err.count("\n"))
    assert hint in err


WORDS = ("--app", "A", "--to", "+46700000001", "--text", "Hi")
SENDS = [
    ((), [("SMS", "+46700000001")]),
    (("--fallback", "rcs"), [("SMS", "+46700000001"), ("RCS", "+46700000001")]),
    (
        ("--channel", "WHATSAPP", "--fallback", "RCS", "--fallback", "SMS=+46700000002"),
        [("WHATSAPP", "+46700000001"), ("RCS", "+46700000001"), ("SMS", "+46700000002")],
    ),
    (("--fallback", "TELEGRAM=ada"), [("SMS", "+46700000001"), ("TELEGRAM", "ada")]),
]


@pytest.mark.parametrize(("options", "expected"), SENDS)
def test_fallbacks_are_tried_in_their_order(
    options: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    """The recipient has the identities in the order of the options."""
    with send.make_context("send", [*WORDS, *options]) as context:
        given = context.params
        found: Any = recipient_of(given["channel"], given["identity"], given["fallbacks"])
    identities = found["identified_by"]["channel_identities"]
    assert expected == [(each["channel"], each["identity"]) for each in identities]


def test_a_fallback_reaches_whom_the_first_channel_does_not(run_cli: RunCli, api: Api) -> None:
    """A number that only the last channel reaches gets the message there."""
    words = ("send", "--app", api.settings.app_id, "--to", "+46700000777", "--text", "Hi")
    code, out, _ = run_cli(*words, "--channel", "WHATSAPP", "--fallback", "SMS", "--json", api=api)
    sent = json.loads(out)["message_id"]

    def ends() -> list[tuple[str, str]]:
        found = [each for each in _sent(api) if each["message_id"] == sent]
        return [(each["channel"], each["outcome"]) for each in found]

    eventually(lambda: ends() == [("SMS", "DELIVERED")])
    assert 0 == code


def _sent(api: Api) -> list[dict[str, str]]:
    found: list[dict[str, str]] = api.http.get("/_sandbox/ledger").json()["recipients"]
    return found


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (("--fallback", "SMS"), "is where it was sent before"),
        (("--fallback", "RCS", "--fallback", "RCS"), "--fallback RCS is where"),
        (("--fallback", "TELEGRAM"), "give an identity, as TELEGRAM=IDENTITY"),
        (("--channel", "TELEGRAM", "--fallback", "SMS"), "give an identity, as SMS=IDENTITY"),
        (("--fallback", "SMS=070"), "--fallback must be a phone number"),
        (("--fallback", "RCSS"), "did you mean RCS?"),
        (("--fallback", "RCS=@none.txt"), "--fallback: cannot read the file"),
        (("--fallback", ""), "--fallback"),
    ],
)
def test_a_wrong_fallback_sends_nothing(
    run_cli: RunCli, api: Api, options: tuple[str, ...], hint: str
) -> None:
    """A fallback that would go nowhere, or to somebody else, is refused before anything leaves."""
    words = ("send", "--app", api.settings.app_id, "--to", "+46700000001", "--text", "Hi")
    before = len(_sent(api))
    code, out, err = run_cli(*words, *options, api=api)
    assert (2, "", before) == (code, out, len(_sent(api)))
    assert hint in err
