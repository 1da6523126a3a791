"""The follower of a receiver learns of callbacks before these are confirmed."""

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import BulkError, ConfigurationError
from sinch_wrapper.callbacks import Event, EventStore, JobFollower, receiver
from tests.helpers.callbacks import SECRET, make_body, post, serving


class FakeFollower:
    """Keeps what it is given; *failure* is raised instead, by the method that it names."""

    def __init__(self, *paths: Path) -> None:
        self.paths: Sequence[Path] = [path.absolute() for path in paths]
        self.bodies: list[bytes] = []
        self.calls: list[str] = []
        self.failure: tuple[str, Exception] | None = None

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if self.failure is not None and self.failure[0] == call:
            raise self.failure[1]

    def check(self) -> None:
        """Note the check."""
        self._note("check")

    def take(self, events: Sequence[Event], /) -> None:
        """Keep the bodies of *events*."""
        self._note("take")
        self.bodies += [event.body for event in events]

    def close(self) -> None:
        """Note the end."""
        self._note("close")


def test_follower_is_told_before_the_response(tmp_path: Path) -> None:
    """After the 200 the follower has the callback; it is checked first and closed at the end."""
    follower, body = FakeFollower(), make_body()
    with serving(receiver(SECRET, store=tmp_path / "callbacks.db", job=follower)) as client:
        assert 200 == post(client, body).status_code
        assert [body] == follower.bodies
    assert ["check", "take", "close"] == follower.calls


def test_who_keeps_opt_outs_is_told_like_a_follower(tmp_path: Path) -> None:
    """After the 200 both have the callback; when the second fails it is refused, and repeated."""
    follower, keeper, body = FakeFollower(), FakeFollower(), make_body()
    app = receiver(SECRET, store=tmp_path / "callbacks.db", job=follower, suppression=keeper)
    with serving(app) as client:
        keeper.failure = ("take", BulkError("disk full"))
        assert 503 == post(client, body).status_code
        keeper.failure = None
        assert 200 == post(client, body).status_code
        assert ([body, body], [body]) == (follower.bodies, keeper.bodies)
    assert ["check", "take", "take", "close"] == keeper.calls


@pytest.mark.parametrize("failure", [BulkError("disk full"), sqlite3.OperationalError("x")])
def test_follower_that_fails_refuses_the_callback(
    tmp_path: Path, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """A callback that the follower cannot take is 503, not stored, and accepted when repeated."""
    caplog.set_level(logging.ERROR)
    follower, body, path = FakeFollower(), make_body(), tmp_path / "callbacks.db"
    with serving(receiver(SECRET, store=path, job=follower)) as client:
        follower.failure = ("take", failure)
        assert 503 == post(client, body).status_code
        assert {"status": "failing"} == client.get("/health").json()
        follower.failure = None
        assert 200 == post(client, body).status_code
    store = EventStore(path, must_exist=True)
    assert [body] == [event.body for event in store.events()]
    store.close()


def test_follower_that_finds_a_wrong_file_stops_the_start(tmp_path: Path) -> None:
    """The error of its check ends the server before callbacks are taken."""
    follower = FakeFollower()
    follower.failure = ("check", BulkError("not a bulk job journal"))
    with (
        pytest.raises(RuntimeError),
        serving(receiver(SECRET, store=tmp_path / "a.db", job=follower)),
    ):
        pass


def test_store_is_beside_the_first_file_of_the_follower(tmp_path: Path) -> None:
    """Without store= the callbacks are kept beside the first journal."""
    follower = FakeFollower(tmp_path / "spring.db", tmp_path / "summer.db")
    with serving(receiver(SECRET, job=follower)):
        assert (tmp_path / "spring.db.callbacks").exists()
    with pytest.raises(ConfigurationError, match="no callback store"):
        receiver(SECRET, job=FakeFollower())


def test_store_is_another_file_than_those_of_the_follower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store in a journal would refuse every callback later: it is refused at once."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="must not be a job journal"):
        receiver(SECRET, store="a.db", job=FakeFollower(tmp_path / "a.db"))


@pytest.mark.parametrize("job", ["spring.db", Path("spring.db"), ["spring.db"], 5, FakeFollower])
def test_path_is_not_a_follower(job: Any) -> None:
    """A path as job= raises TypeError, and the error says what to write instead."""
    with pytest.raises(TypeError) as caught:
        receiver(SECRET, store=":memory:", job=job)
    expected = f"job= takes a follower, not {type(job).__name__}: "
    assert f"{expected}use sinch_wrapper.bulk.JournalFollower(PATH)" == str(caught.value)


def test_fake_is_a_follower() -> None:
    """The protocol asks for three methods and the paths, nothing else."""
    assert isinstance(FakeFollower(), JobFollower)
