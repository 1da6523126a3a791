"""The sandbox is reached by path prefix and by the real host names, with and without TLS."""

import os
import ssl
import subprocess
import sys

import pytest

from sinch_wrapper import Endpoints, Region
from sinch_wrapper._http import httpx
from sinch_wrapper.sandbox import Server, Settings, parse_fault
from sinch_wrapper.sandbox._documents import hosts, regions, token_url
from sinch_wrapper.sandbox._routing import RequestAddress, find_address
from tests.helpers.sandbox import Api, StartSandbox, row, sms, text

GRANT = {"grant_type": "client_credentials"}
KEY = ("sandbox-key", "sandbox-secret")
APPS = "/v1/projects/sandbox-project/apps"


@pytest.mark.parametrize("region", Region)
def test_hosts_of_the_documents_are_those_of_the_client(region: Region) -> None:
    """The client and the documents name the same hosts and the same token endpoint."""
    endpoints = Endpoints.for_region(region)
    urls = {"conversation": endpoints.conversation, "batch": endpoints.batch}
    urls |= {"template": endpoints.template}

    assert {api: (api, region) for api in urls} == {
        api: hosts()[url.removeprefix("https://")] for api, url in urls.items()
    }
    assert token_url() == endpoints.auth
    assert set(Region) == set(regions())


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("x", "/batch/v1/a", RequestAddress("batch", "us", "/v1/a")),
        ("x", "/br/template/v2/a", RequestAddress("template", "br", "/v2/a")),
        ("x", "/auth/oauth2/token", RequestAddress("auth", "us", "/oauth2/token")),
        ("eu.conversation.api.sinch.com", "/v1/a", RequestAddress("conversation", "eu", "/v1/a")),
        (
            "BR.conversationbatch.API.sinch.com:8787",
            "/v1/a",
            RequestAddress("batch", "br", "/v1/a"),
        ),
        ("auth.sinch.com", "/oauth2/token", RequestAddress("auth", "us", "/oauth2/token")),
        ("x", "/eu/nowhere", None),
        ("x", "/", None),
        ("xx.conversation.api.sinch.com", "/v1/a", None),
    ],
)
def test_address_is_found(host: str, path: str, expected: RequestAddress | None) -> None:
    """By host name, whatever the port, otherwise by the first parts of the path."""
    assert expected == find_address(host, path, "us")


def _by_host(api: Api, host: str, method: str, path: str, **options: object) -> httpx.Response:
    return api.http.request(method, path, headers={"host": host}, **options)  # type: ignore[arg-type]  # as given


def test_apis_are_served_under_their_host_names(api: Api) -> None:
    """A client that resolves the real names to the sandbox needs no other path."""
    token = _by_host(api, "auth.sinch.com", "POST", "/oauth2/token", data=GRANT)
    apps = _by_host(api, "us.conversation.api.sinch.com", "GET", APPS)
    templates = _by_host(
        api, "us.template.api.sinch.com", "GET", "/v2/projects/sandbox-project/templates"
    )
    prefixed = _by_host(api, "us.conversation.api.sinch.com", "GET", f"/conversation{APPS}")

    statuses = [each.status_code for each in (token, apps, templates, prefixed)]
    assert [200, 200, 200, 404] == statuses


def test_app_of_another_region_is_not_there(api: Api) -> None:
    """An app lives in the region in which it was created: elsewhere it is 404."""
    body = {"display_name": "European", "channel_credentials": []}
    app = _by_host(api, "eu.conversation.api.sinch.com", "POST", APPS, json=body).json()
    send = {"app_id": app["id"], "recipient": sms("+46700000001"), "message": text("Hi")}
    batch = {"app_id": app["id"], "message": text("Hi"), "recipient_and_params": [row("+467")]}

    def status(prefix: str, path: str, body: object) -> int:
        return api("POST", f"{prefix}{path}", json=body).status_code

    there = "/eu/conversation/v1/~/messages:send", "/eu/batch/v1/~/messages"
    here = "/conversation/v1/~/messages:send", "/batch/v1/~/messages"
    assert [200, 200] == [
        status("", path, body) for path, body in zip(there, (send, batch), strict=True)
    ]
    assert [404, 404] == [
        status("", path, body) for path, body in zip(here, (send, batch), strict=True)
    ]
    assert (
        404
        == _by_host(api, "br.conversation.api.sinch.com", "GET", f"{APPS}/{app['id']}").status_code
    )


def test_region_of_the_settings_is_that_of_bare_paths(start_sandbox: StartSandbox) -> None:
    """The first app is in the region of the settings."""
    api = start_sandbox(region="eu")
    path = f"/v1/~/apps/{api.settings.app_id}"

    statuses = [
        api("GET", f"{prefix}{path}").status_code
        for prefix in ("/conversation", "/eu/conversation", "/us/conversation")
    ]
    assert [200, 200, 404] == statuses


def test_beta_batches_have_their_own_name_in_the_ledger(api: Api) -> None:
    """The ledger names the older operation for batches sent over the older path."""
    body = {
        "app_id": api.settings.app_id,
        "message": text("Hi"),
        "recipient_and_params": [row("+46700000001")],
    }
    batch_id = api.ok("POST", "/batch/v1beta/~/batches:send", json=body)["batch_id"]

    [entry] = [each for each in api.server.ledger.entries() if each["batch_id"] == batch_id]
    assert "Batch_SendBatchV1Beta" == entry["operation"]


def test_beta_path_is_missing_in_brazil(api: Api) -> None:
    """The v1beta send is served in us and eu only."""
    app_id = api.ok(
        "POST", "/br/conversation/v1/~/apps", json={"display_name": "B", "channel_credentials": []}
    )["id"]
    body = {"app_id": app_id, "message": text("Hi"), "recipient_and_params": [row("+467")]}

    assert 404 == api("POST", "/br/batch/v1beta/~/batches:send", json=body).status_code


def test_tls_is_trusted_with_its_certificate() -> None:
    """The certificate is good for this machine and the real names, by strict rules too."""
    with Server(tls=True) as server:
        assert server.certificate is not None
        context = ssl.create_default_context(cafile=str(server.certificate))
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        with httpx.Client(verify=context, trust_env=False, timeout=60) as http:
            local = http.get(f"{server.url}/_sandbox")
            request = http.build_request("GET", f"{server.url}/_sandbox")
            request.extensions["sni_hostname"] = "eu.conversation.api.sinch.com"
            named = http.send(request)

    assert [200, 200] == [local.status_code, named.status_code]
    assert server.url.startswith("https://")
    assert not server.certificate.exists()


def test_client_speaks_tls_with_the_sandbox() -> None:
    """SSL_CERT_FILE is all that an unchanged program needs."""
    program = "from sinch_wrapper import Sinch\nwith Sinch() as s: s.conversation.app.list_apps()"
    with Server(tls=True) as server:
        variables = {
            "SSL_CERT_FILE": str(server.certificate),
            "SINCH_SANDBOX_URL": server.url,
            "SINCH_PROJECT_ID": server.settings.project_id,
            "SINCH_KEY_ID": server.settings.key_id,
            "SINCH_KEY_SECRET": server.settings.key_secret,
        }
        result = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    assert (0, "") == (result.returncode, result.stderr)


@pytest.mark.parametrize("kind", ["drop", "reset", "half", "drop-before", "reset-before"])
def test_tls_connection_is_broken_too(kind: str) -> None:
    """Faults that break a connection work under TLS."""
    rule = parse_fault(f"Auth_Token:{kind}")
    with Server(Settings(faults=(rule,)), tls=True) as server:
        context = ssl.create_default_context(cafile=str(server.certificate))
        with (
            httpx.Client(verify=context, trust_env=False, timeout=60) as http,
            pytest.raises(httpx.TransportError),
        ):
            http.post(f"{server.url}/auth/oauth2/token", data=GRANT, auth=KEY)


@pytest.mark.parametrize("host", ["localhost", "::1"])
def test_server_listens_on_the_given_host(host: str) -> None:
    """Another host can be given, also an IPv6 address."""
    try:
        server = Server(host=host)
    except OSError:
        pytest.skip("this machine has no such address")
    with server, httpx.Client(trust_env=False) as http:
        assert 200 == http.get(f"{server.url}/_sandbox").status_code
