"""The retry table, for every method and outcome."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper import ConfigurationError, RetryPolicy
from sinch_wrapper._backoff import backoff
from sinch_wrapper._http import httpx
from sinch_wrapper._retry import AttemptOutcome, classify_failure, classify_status

METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "POST"]
SAFE = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}


def expected(method: str, outcome: AttemptOutcome, resend: str) -> bool:
    """Look up the documented table."""
    table = {
        AttemptOutcome.DONE: False,
        AttemptOutcome.HOPELESS: False,
        AttemptOutcome.THROTTLED: True,
        AttemptOutcome.NOT_SENT: True,
        AttemptOutcome.TRY_AGAIN: method != "POST" or resend == "documented",
        AttemptOutcome.UNKNOWN: method in SAFE,
    }
    return table[outcome]


@pytest.mark.parametrize("resend", ["documented", "never"])
@pytest.mark.parametrize("outcome", list(AttemptOutcome))
@pytest.mark.parametrize("method", METHODS)
def test_repeat_rule_is_the_table(method: str, outcome: AttemptOutcome, resend: str) -> None:
    """Every pair of method and outcome is decided as documented."""
    policy = RetryPolicy(resend=resend)  # type: ignore[arg-type]
    assert expected(method, outcome, resend) == policy.may_repeat(method, outcome)
    assert expected(method, outcome, resend) == policy.may_repeat(method.lower(), outcome)


@pytest.mark.parametrize("status", range(200, 620))
def test_statuses_are_classified(status: int) -> None:
    """429 throttles, 500, 501, 503 ask for another try, other 5xx leave doubt."""
    special = {
        429: AttemptOutcome.THROTTLED,
        **dict.fromkeys((500, 501, 503), AttemptOutcome.TRY_AGAIN),
    }
    default = AttemptOutcome.UNKNOWN if status >= 500 else AttemptOutcome.DONE
    assert special.get(status, default) is classify_status(status)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (httpx.ConnectError(""), AttemptOutcome.NOT_SENT),
        (httpx.ConnectTimeout(""), AttemptOutcome.NOT_SENT),
        (httpx.PoolTimeout(""), AttemptOutcome.NOT_SENT),
        (httpx.ProxyError(""), AttemptOutcome.NOT_SENT),
        (httpx.ReadTimeout(""), AttemptOutcome.UNKNOWN),
        (httpx.WriteTimeout(""), AttemptOutcome.UNKNOWN),
        (httpx.ReadError(""), AttemptOutcome.UNKNOWN),
        (httpx.WriteError(""), AttemptOutcome.UNKNOWN),
        (httpx.CloseError(""), AttemptOutcome.UNKNOWN),
        (httpx.RemoteProtocolError(""), AttemptOutcome.UNKNOWN),
        (OSError(), AttemptOutcome.UNKNOWN),
        (httpx.LocalProtocolError(""), AttemptOutcome.HOPELESS),
        (httpx.UnsupportedProtocol(""), AttemptOutcome.HOPELESS),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.name,
)
def test_failures_are_classified(error: Exception, outcome: AttemptOutcome) -> None:
    """Only a request that was certainly not sent counts as not sent."""
    assert outcome is classify_failure(error)


def wait(policy: RetryPolicy, **given: float | None) -> float | None:
    """Ask *policy* about a 429 of a GET."""
    values: dict[str, object] = {"attempt": 1, "elapsed": 0.0, "jitter": 1.0, **given}
    return policy.wait("GET", AttemptOutcome.THROTTLED, **values)  # type: ignore[arg-type]


@given(st.integers(0, 10**9), st.floats(0.001, 1e3), st.floats(0.001, 1e6))
def test_backoff_doubles_up_to_its_limit(earlier: int, first: float, longest: float) -> None:
    """Each back-off is twice the one before, unless that passes the limit; none overflows."""
    assert min(first, longest) == backoff(0, first, longest)
    assert min(longest, 2 * backoff(earlier, first, longest)) == backoff(
        earlier + 1, first, longest
    )


@pytest.mark.parametrize(
    ("attempt", "longest"), [(1, 0.5), (2, 1.0), (3, 2.0), (8, 60.0), (999, 60.0)]
)
def test_backoff_doubles_up_to_a_minute(attempt: int, longest: float) -> None:
    """The jitter ranges from 0 to a limit that doubles with each attempt, up to a minute."""
    policy = RetryPolicy(attempts=1000)
    assert longest == wait(policy, attempt=attempt)
    assert longest / 2 == wait(policy, attempt=attempt, jitter=0.5)
    assert wait(policy, attempt=attempt, jitter=0.0) == 0.0


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(None, 0.5), (0.0, 0.5), (0.1, 0.5), (7.5, 7.5), (86400.0, 60.0), (2e9, 60.0)],
)
def test_wait_honours_the_server_up_to_a_minute(asked: float | None, seconds: float) -> None:
    """A wait is at least what the server asks for, but never longer than a minute."""
    assert seconds == wait(RetryPolicy(), asked=asked)


def test_wait_never_passes_the_deadline() -> None:
    """When the wait would end after the deadline, the last response is final."""
    policy = RetryPolicy(retry_deadline=10)
    assert wait(policy, elapsed=9.5) == 0.5
    assert wait(policy, elapsed=9.6) is None
    assert wait(policy, asked=11.0) is None


def test_attempts_are_counted_from_one() -> None:
    """One attempt means no repetition."""
    assert wait(RetryPolicy(attempts=1)) is None
    assert wait(RetryPolicy(attempts=2)) is not None
    assert wait(RetryPolicy(attempts=2), attempt=2) is None


@given(
    st.sampled_from(METHODS),
    st.sampled_from(list(AttemptOutcome)),
    st.integers(1, 50),
    st.floats(0, 1e6),
    st.floats(0, 1),
    st.none() | st.floats(0, 1e12),
)
def test_wait_is_sane_for_any_input(  # noqa: PLR0913, PLR0917 (one row)
    method: str,
    outcome: AttemptOutcome,
    attempt: int,
    elapsed: float,
    jitter: float,
    asked: float | None,
) -> None:
    """A wait is finite, from 0 to 60 s, within the deadline, and only where the table allows."""
    policy = RetryPolicy(attempts=20)
    seconds = policy.wait(
        method, outcome, attempt=attempt, elapsed=elapsed, jitter=jitter, asked=asked
    )
    if seconds is not None:
        assert math.isfinite(seconds)
        assert 0 <= seconds <= 60
        assert elapsed + seconds <= policy.retry_deadline
        assert policy.may_repeat(method, outcome)


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"attempts": "3"},
        {"attempts": 2.5},
        {"attempts": True},
        {"resend": "always"},
        {"resend": []},
        {"retry_deadline": -1},
        {"retry_deadline": math.nan},
        {"retry_deadline": None},
        {"retry_deadline": "1"},
    ],
)
def test_policy_refuses_senseless_values(options: dict[str, object]) -> None:
    """Wrong values are refused when the policy is made."""
    with pytest.raises(ConfigurationError, match=f"RetryPolicy.{next(iter(options))}"):
        RetryPolicy(**options)  # type: ignore[arg-type]
