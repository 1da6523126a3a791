"""Regions and endpoints."""

from typing import Any

import pytest

from sinch_wrapper import ConfigurationError, Endpoints, Region, Sinch


@pytest.mark.parametrize("region", list(Region))
def test_endpoints_follow_the_region(region: Region) -> None:
    """Each API has its host in each region; the token endpoint has one for all."""
    expected = Endpoints(
        "https://auth.sinch.com/oauth2/token",
        f"https://{region}.conversation.api.sinch.com",
        f"https://{region}.conversationbatch.api.sinch.com",
        f"https://{region}.template.api.sinch.com",
    )
    assert expected == Endpoints.for_region(region) == Endpoints.for_region(f" {region.upper()} ")


def test_unknown_region_lists_the_valid_ones() -> None:
    """The error says what is valid and where to set it; it does not quote what was given."""
    with pytest.raises(ConfigurationError, match="SINCH_REGION to one of us, eu, br") as caught:
        Endpoints.for_region("planted")
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize("base", ["http://127.0.0.1:8787", "http://127.0.0.1:8787/"])
def test_sandbox_puts_each_api_under_its_prefix(base: str) -> None:
    """One server serves all three under prefixes, because Conversation and Batch share paths."""
    root = "http://127.0.0.1:8787"
    expected = Endpoints(
        f"{root}/auth/oauth2/token", f"{root}/conversation", f"{root}/batch", f"{root}/template"
    )
    assert expected == Endpoints.sandbox(base)


@pytest.mark.parametrize("base", ["", "127.0.0.1:8787", "http://h/?q=1", None, 5, b"http://h"])
def test_sandbox_refuses_what_is_not_a_url(base: Any) -> None:
    """The error names the variable and the call to look at."""
    with pytest.raises(ConfigurationError, match=r"check SINCH_SANDBOX_URL or Endpoints\.sandbox"):
        Endpoints.sandbox(base)


@pytest.mark.parametrize(
    "host",
    [
        "api.example", "10.0.0.1", "sandbox", "localhost.example", "127.0.0.1.example", "0.0.0.0",  # noqa: S104 (not bound)
        "[::]", "[::2]", "[fe80::1]", "127.1", "2130706433", "0x7f.1", "localhost.", "128.0.0.1",
    ],
)  # fmt: skip
def test_plain_http_to_another_host_is_refused(
    clean_environment: pytest.MonkeyPatch, host: str
) -> None:
    """The key would leave readable: in each endpoint, in a sandbox, and from the environment."""
    url = f"http://{host}:8787"
    for number in range(4):
        urls = ["https://a"] * 4
        urls[number] = url
        with pytest.raises(ConfigurationError, match=r"http:// to another host.* allow_http=True"):
            Endpoints(*urls)
        assert url in vars_of(Endpoints(*urls, allow_http=True))
    with pytest.raises(ConfigurationError, match="http:// to another host"):
        Endpoints.sandbox(url)
    clean_environment.setenv("SINCH_SANDBOX_URL", url)
    with pytest.raises(ConfigurationError, match="http:// to another host"):
        Sinch(project_id="p", key_id="k", key_secret="s")
    assert f"{url}/batch" in vars_of(Endpoints.sandbox(url, allow_http=True))


def vars_of(endpoints: Endpoints) -> list[str]:
    """The four URLs."""
    return [getattr(endpoints, name) for name in endpoints.__slots__]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "[::1]"])
def test_plain_http_stays_on_this_machine(host: str) -> None:
    """A sandbox here needs no certificate."""
    assert f"http://{host}:1/batch" in vars_of(Endpoints.sandbox(f"http://{host}:1"))


@pytest.mark.parametrize("region", [None, 5, b"eu", ""])
def test_region_of_another_kind_is_unknown(region: Any) -> None:
    """Only a name is a region."""
    with pytest.raises(ConfigurationError, match="unknown region"):
        Endpoints.for_region(region)


@pytest.mark.parametrize(
    "url",
    [
        "", "host", "ftp://host", "https://", "https://h/?q=1", "https://h/#f", "https://u:p@h",
        "https://h:0", "https://h:99999", "https://h:x", "https://h /", "https://[::1", "https://é",
    ],
)  # fmt: skip
def test_endpoints_refuse_what_is_not_a_base_url(url: str) -> None:
    """A wrong URL raises at once, and is not quoted, because it may hold a password."""
    with pytest.raises(ConfigurationError, match=r"endpoints\.batch"):
        Endpoints("https://a", "https://b", url, "https://d")
