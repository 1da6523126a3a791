"""Credentials, tokens, projects, paths and the request limit of the sandbox."""

import base64

import pytest

from sinch_wrapper._http import httpx
from sinch_wrapper.sandbox import Clock
from sinch_wrapper.sandbox._errors import Refusal
from sinch_wrapper.sandbox._limits import RequestLimiter
from tests.helpers.sandbox import StartSandbox

APPS = "/conversation/v1/projects/sandbox-project/apps"
GRANT = {"grant_type": "client_credentials"}
KEY = ("sandbox-key", "sandbox-secret")


def _token(url: str) -> str:
    response = httpx.post(f"{url}/auth/oauth2/token", data=GRANT, auth=KEY)
    token: str = response.json()["access_token"]
    return token


def _get(url: str, authorization: str) -> httpx.Response:
    return httpx.get(url + APPS, headers={"authorization": authorization})


def test_token_opens_the_api(start_sandbox: StartSandbox) -> None:
    """A token of the token endpoint is accepted by the APIs."""
    url = start_sandbox().url

    assert _get(url, f"Bearer {_token(url)}").status_code == 200


def test_token_endpoint_responds_as_oauth2(start_sandbox: StartSandbox) -> None:
    """The response has the configured lifetime and the type bearer."""
    url = start_sandbox(token_lifetime=60).url

    response = httpx.post(f"{url}/auth/oauth2/token", data=GRANT, auth=KEY).json()

    assert (response["expires_in"], response["token_type"]) == (60, "bearer")


def test_expired_token_is_refused(start_sandbox: StartSandbox) -> None:
    """After its lifetime a token gives 401, and the challenge says that it is expired."""
    api = start_sandbox(frozen=True, token_lifetime=60)
    url = api.url
    token = _token(url)
    assert _get(url, f"Bearer {token}").status_code == 200
    api.server.clock.advance(61)

    response = _get(url, f"Bearer {token}")

    assert response.status_code == 401
    assert "expired" in response.headers["www-authenticate"]
    assert response.json()["error"]["status"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer nonsense",
        "Basic !!!",
        "Digest x",
        "Basic " + base64.b64encode(b"sandbox-key:wrong").decode(),
    ],
)
def test_wrong_credentials_are_refused(
    start_sandbox: StartSandbox,
    authorization: str,
) -> None:
    """Missing, unknown and malformed credentials give 401 with a challenge."""
    response = _get(start_sandbox().url, authorization)

    assert response.status_code == 401
    assert "www-authenticate" in response.headers


@pytest.mark.parametrize(
    ("auth", "form", "status", "error"),
    [
        (("sandbox-key", "wrong"), GRANT, 401, "invalid_client"),
        (KEY, {"grant_type": "password"}, 400, "unsupported_grant_type"),
        (KEY, {}, 400, "invalid_request"),
    ],
)
def test_token_endpoint_refuses(
    start_sandbox: StartSandbox,
    auth: tuple[str, str],
    form: dict[str, str],
    status: int,
    error: str,
) -> None:
    """A wrong key or grant is refused in the error format of OAuth2."""
    url = start_sandbox().url

    response = httpx.post(f"{url}/auth/oauth2/token", data=form, auth=auth)

    body = response.json()
    assert (status, error) == (response.status_code, body["error"])
    # The Python SDK 2.3.0 shows this one to its user.
    assert body["error_description"].endswith(".")


def test_other_project_is_forbidden(start_sandbox: StartSandbox) -> None:
    """Good credentials of another project give 403."""
    api = start_sandbox()

    assert api("GET", "/conversation/v1/projects/other/apps").status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/", 404),
        ("GET", "/conversation/v1/~/nowhere", 404),
        ("GET", "/batch/v1/~/apps", 404),
        ("DELETE", "/conversation/v1/~/apps", 405),
    ],
)
def test_unknown_path_is_a_json_error(
    start_sandbox: StartSandbox,
    method: str,
    path: str,
    status: int,
) -> None:
    """What no document has is refused with a JSON body."""
    response = start_sandbox()(method, path)

    assert (status, status) == (response.status_code, response.json()["error"]["code"])


def test_encoded_slash_stays_inside_paralimiter(start_sandbox: StartSandbox) -> None:
    """An identifier with an encoded slash does not reach another path."""
    response = start_sandbox()("GET", "/conversation/v1/~/contacts/..%2Fapps")

    assert response.json()["error"]["message"] == "Contact not found in this project and region"


def test_limiter_lets_the_rate_pass() -> None:
    """A second's worth of requests passes at once, one more does not, and later one does."""
    clock = Clock(frozen=True)
    limiter = RequestLimiter(3, clock)
    for _ in range(3):
        limiter.take()
    with pytest.raises(Refusal) as refused:
        limiter.take()
    clock.advance(0.4)
    limiter.take()

    assert refused.value.code == 429


def test_limiter_below_one_a_second_lets_some_pass() -> None:
    """A slow rate is slow, and not none at all."""
    clock = Clock(frozen=True)
    limiter = RequestLimiter(0.5, clock)
    limiter.take()
    with pytest.raises(Refusal):
        limiter.take()
    clock.advance(2)
    limiter.take()


def test_project_over_its_rate_gets_429(start_sandbox: StartSandbox) -> None:
    """The APIs respond with 429 when the project exceeds its requests per second."""
    api = start_sandbox(frozen=True, request_rate=1)
    api.ok("GET", "/conversation/v1/~/apps")

    response = api("GET", "/template/v2/~/templates")

    assert response.json()["error"]["status"] == "RESOURCE_EXHAUSTED"
