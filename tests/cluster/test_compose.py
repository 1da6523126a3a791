"""The compose file of docs/scaling.md, as far as it can be checked without containers."""

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from sinch_wrapper.cli._app import commands

pytestmark = pytest.mark.once
PAGE = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")
# Source: Compose Specification (compose-spec.io), top-level elements and those of services.
TOP = {"name", "services", "volumes", "networks", "configs", "secrets", "include", "models"}
SERVICE = {
    *("build", "image", "command", "entrypoint", "environment", "env_file", "ports", "volumes"),
    *("depends_on", "healthcheck", "restart", "profiles", "stop_grace_period", "networks"),
}
HEALTH = {"test", "interval", "timeout", "retries", "start_period", "start_interval", "disable"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
DURATION = re.compile(r"(\d+(h|m|s|ms|us))+")
VALUES = {"DATABASE_HOST": "db.example.com", "SINCH_REGION": "eu"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file, with a value for each variable."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    filled = re.sub(r"\$\{(\w+)[^}]*\}", lambda found: VALUES.get(found[1], "x"), text)
    assert "$" not in filled
    read: dict[str, Any] = yaml.safe_load(filled)
    return read


def test_its_keys_are_those_of_the_specification(compose: dict[str, Any]) -> None:
    """Services have known keys, volumes that are declared, and conditions that exist."""
    assert set() == {key for key in compose if not key.startswith("x-")} - TOP
    services = compose["services"]
    for service in services.values():
        assert set() == set(service) - SERVICE
        assert ("image" in service) != ("build" in service)
        assert service["restart"] in {"no", "always", "on-failure", "unless-stopped"}
        assert all(isinstance(each, str) for each in service["environment"].values())
        assert set() == {each.partition(":")[0] for each in service.get("volumes", ())} - set(
            compose["volumes"]
        )
        assert all(re.fullmatch(r"\d+:\d+", each) for each in service.get("ports", ()))
        assert set() == set(service.get("healthcheck", ())) - HEALTH
        for name, needed in service.get("depends_on", {}).items():
            assert name in services
            assert needed["condition"] in CONDITIONS
            # Who is needed is there whenever the one that needs it is.
            assert services[name].get("profiles") in (None, service.get("profiles"))
    assert DURATION.fullmatch(services["worker"]["stop_grace_period"])


@pytest.mark.parametrize("name", ["prepare", "worker", "receiver"])
def test_its_commands_exist(compose: dict[str, Any], name: str) -> None:
    """Each command of ours takes the options that it is given."""
    words = compose["services"][name]["command"]
    command: click.Command = commands
    context = click.Context(command)
    while isinstance(command, click.Group):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    command.make_context(name, list(words))
