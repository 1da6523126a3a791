"""A preview says what a job would do, and a job that is not allowed to do that does not begin."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinch_wrapper import AsyncSinch, Recipient, card, template, text
from sinch_wrapper.bulk import (
    Columns,
    JobStage,
    MessageLimits,
    Preview,
    Progress,
    Report,
    SendWindow,
    preview,
    sms_parts,
)
from sinch_wrapper.errors import BulkArgumentError, BulkError
from tests.helpers.bulk import FakeBatchApi, MakeBulk, csv_file, make_bulk, rows
from tests.helpers.planted import PHONE, TEXT, leaks, printed

__all__ = ["make_bulk"]

HI = text("Hi ${name}")
TWO = Recipient.identities([("WHATSAPP", "+46700000009"), ("SMS", "+46700000009")])


def seen(recipients: object, **options: Any) -> Preview:
    """The preview of these recipients."""
    return preview(recipients=recipients, **{"message": HI, **options})  # type: ignore[arg-type]  # anything


@pytest.mark.once
def test_counts_and_problems_name_the_first_lines(tmp_path: Path) -> None:
    """Rows are counted by what is wrong with them; what can be sent is counted by channel."""
    path = tmp_path / "a.csv"
    lines = ["phone,name", *(f"+4670000{n:04},N{n}" for n in range(20)), ",x", ",y"]
    lines += ["+46700000001,again", "+46700009999,"]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = seen(path)
    assert ("a.csv", 20, 3, 1, 1) == (
        found.source, found.total, found.invalid, found.duplicates, found.requests,
    )  # fmt: skip
    assert {"SMS": 20} == found.channels
    assert [("phone", 2, (22, 23)), ("", 1, (24,)), ("name", 1, (25,))] == [
        (each.column, each.rows, each.lines) for each in found.problems
    ]
    assert "3 rows cannot be sent" in found.refusals[0]
    assert () == seen(path, on_invalid="skip").refusals


@pytest.mark.once
def test_requests_are_those_that_would_leave(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Also in a job whose first and last recipients leave by themselves, without duplicates."""
    path = csv_file(tmp_path, 120)
    path.write_text(path.read_text() + "k120,+46700000000,again\n")
    api = FakeBatchApi()
    found = seen(path, chunk_size=50)
    report = make_bulk(api).go(message=HI, recipients=path, chunk_size=50)
    assert (found.total, found.duplicates) == (report.accepted, report.duplicates)
    assert found.requests == len(api.sent)


def test_nothing_leaves_and_nothing_is_kept(tmp_path: Path, make_bulk: MakeBulk) -> None:
    """A preview needs no client; that of a client is the same, in threads and in tasks."""
    path, api = csv_file(tmp_path, 3), FakeBatchApi()
    before = sorted(tmp_path.iterdir())
    found = make_bulk(api).preview(message=HI, recipients=path)
    assert found == seen(path)
    assert (before, []) == (sorted(tmp_path.iterdir()), api.paths)


@pytest.mark.once
def test_messages_are_as_their_recipients_see_them() -> None:
    """Line, key, channels, the message with its placeholders filled, its text and parts."""
    people = [
        {"recipient": TWO, "parameters": {"name": "100 % Åsa"}, "key": "C1"},
        (Recipient.rcs("+46700000001"), {"name": "\u2019"}),
    ]
    first, second = seen(people).messages()
    assert (1, "C1", ("WHATSAPP", "SMS")) == (first.line, first.key, first.channels)
    assert {"text_message": {"text": "Hi 100 % Åsa"}} == first.message
    assert ("Hi 100 % Åsa", sms_parts("Hi 100 % Åsa")) == (first.text, first.sms)
    assert (("RCS",), "", None) == (second.channels, second.text, second.sms)
    ordered = seen(people, channel_priority_order=["SMS"])
    assert ("SMS", "WHATSAPP") == next(ordered.messages()).channels


@pytest.mark.once
def test_parts_are_counted_after_substitution() -> None:
    """By encoding and parts, with the line of the first; those that fall back to SMS apart."""
    people = [
        {"phone": "+46700000001", "name": "Ada"},
        {"phone": "+46700000002", "name": "a" * 170},
        {"phone": "+46700000003", "name": "Łukasz"},
        (TWO, {"name": "b" * 170}),
        {"phone": "+46700000002", "name": "Ж" * 300},
    ]
    found = seen(people)
    assert [
        ("GSM", 1, 1, 0, 1, 6), ("UCS-2", 1, 1, 0, 3, 9), ("GSM", 2, 1, 1, 2, 173),
    ] == [
        (each.encoding, each.parts, each.recipients, each.fallbacks, each.line, each.units)
        for each in found.sms
    ]  # fmt: skip
    assert (4, 6) == (found.parts, found.most_parts)
    assert {"SMS": 3, "WHATSAPP": 1} == found.channels


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (card("Spring", description="is here"), "card_message"),
        (template("T1", version="1"), "stored template"),
        (text("Hi", explicit_channel_message={"SMS": "{}"}), "explicit_channel_message"),
        (text("Hi", channel_specific_message={"sms": {"message_type": "X"}}), "of its own"),
    ],
)
@pytest.mark.once
def test_what_the_api_makes_of_a_message_is_not_guessed(
    message: Mapping[str, object], reason: str
) -> None:
    """Then no parts are counted, the reason is given, and a limit of them cannot be kept."""
    found = seen([Recipient.sms("+46700000001")], message=message, max_parts=9)
    assert ((), 0) == (found.sms, found.parts)
    assert reason in found.sms_unknown
    assert "max_parts= cannot be kept" in found.refusals[0]
    other = seen([Recipient.rcs("+46700000001")], message=message, max_parts=9)
    assert ("", ()) == (other.sms_unknown, other.refusals)


@pytest.mark.once
def test_the_text_for_sms_alone_is_the_one_that_counts() -> None:
    """What replaces the message on SMS is what is counted there."""
    own = {"SMS": {"text_message": {"text": "Short, ${name}"}}}
    message = card("Spring", explicit_channel_omni_message=own)
    (found,) = seen([(Recipient.sms("+46700000001"), {"name": "Ada"})], message=message).messages()
    assert ("Short, Ada", 1) == (found.text, found.sms and found.sms.parts)


@pytest.mark.once
def test_channels_count_in_any_spelling_and_defaults_as_parameters() -> None:
    """What leaves is what is counted."""
    item = {"recipient": {"identified_by": {"channel_identities": [
        {"channel": "sms", "identity": "+46700000001"}
    ]}}, "parameters": {"name": "Ada"}}  # fmt: skip
    people = [item, {"phone": "+46700000002"}, (Recipient.sms("+46700000003"), {})]
    found = seen(people, defaults={"name": "there"}, prices={"46": 1})
    assert ({"SMS": 3}, 3, Decimal(3)) == (found.channels, found.parts, found.cost)
    assert ["Hi Ada", "Hi there", "Hi there"] == [each.text for each in found.messages()]


@pytest.mark.once
def test_what_makes_every_message_longer_is_said() -> None:
    """A character of the text itself that is not GSM, but none of a placeholder's value."""
    people = [(Recipient.sms("+46700000001"), {"name": "Ж"})]
    (warning,) = seen(people, message=text("It\u2019s ${name}")).warnings
    assert "U+2019" in warning
    assert () == seen(people).warnings


@pytest.mark.once
def test_who_is_excluded_by_now_is_not_counted(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """By a list, a file or addresses; the same for who approves, and in the report."""
    path = tmp_path / "stop.csv"
    path.write_text("phone\n+46700000001\n", encoding="utf-8")
    given: Any = {"exclude": [path, "+46700000003"], "prices": {"": 1}}
    found = seen(rows(5), **given)
    assert (3, 2, 3, Decimal(3)) == (found.total, found.suppressed, found.parts, found.cost)
    assert [1, 3, 5] == [each.line for each in found.messages()]
    asked: list[Preview] = []

    def approve(found: Preview) -> bool:
        asked.append(found)
        return True

    api = FakeBatchApi()
    report = make_bulk(api).go(message=HI, recipients=rows(5), approve=approve, **given)
    assert (3, 2) == (report.accepted, report.suppressed)
    assert (3, 2) == (asked[0].total, asked[0].suppressed)


@pytest.mark.once
def test_a_window_says_when_the_last_message_goes_out() -> None:
    """Who has no zone is left out, and is not counted."""
    pytest.importorskip("phonenumbers")
    people = [*rows(30), {"phone": "+8835100123456", "name": "nowhere"}]
    hours = SendWindow("00:00-24:00")
    found = seen(
        people, window=hours, limits=MessageLimits(drain=2), prices={"46": 1}, on_invalid="skip"
    )
    assert (30, 1, 30, Decimal(30)) == (found.total, found.invalid, found.parts, found.cost)
    assert found.last_at is not None
    assert 15.0 == pytest.approx(found.to_deliver, abs=0.1)
    assert -5 < (found.last_at - datetime.now(UTC)).total_seconds() < 16
    assert None is seen(rows(3)).last_at


@pytest.mark.once
def test_a_preview_says_which_column_means_what() -> None:
    """As the report of the job does."""
    found = seen(rows(1), columns=Columns(to=[("phone", "WHATSAPP"), ("phone", "SMS")]))
    assert ["phone -> WHATSAPP, SMS", "key line", "parameters name"][0] in found.understood
    assert {"WHATSAPP": 1} == found.channels


ADA = [(Recipient.sms("+46700000001"), {"name": "Ada"})]
PRICES = {"46": "0.05", "4670": Decimal("0.04"), "+1": 0.01, "0049": 1}


@pytest.mark.once
def test_cost_is_parts_times_the_price_of_the_longest_prefix() -> None:
    """By destination; what has no price is counted as that."""
    people = [
        {"phone": "+46700000001", "name": "a" * 170},
        {"phone": "+46800000001", "name": "b"},
        {"phone": "+12125550123", "name": "c"},
        {"phone": "+4930123456", "name": "d"},
        {"phone": "+33612345678", "name": "e"},
    ]
    found = seen(people, prices=PRICES)
    assert (Decimal("1.14"), 1) == (found.cost, found.unpriced)
    assert {("4670", 2), ("46", 1), ("1", 1), ("49", 1), ("", 1)} == {
        (each.prefix, each.messages) for each in found.destinations or ()
    }
    assert None is seen(people).cost
    assert Decimal() == seen([], prices=PRICES).cost


@pytest.mark.once
def test_other_channels_have_prices_of_their_own() -> None:
    """A message that falls back may cost on both channels."""
    found = seen([(TWO, {"name": "a"})], prices={"SMS": {"46": "0.05"}, "whatsapp": {"*": "0.08"}})
    assert (Decimal("0.08"), Decimal("0.13"), 0) == (found.cost, found.most_cost, found.unpriced)
    assert 1 == seen([(TWO, {"name": "a"})], prices={"": "0.05"}).unpriced


@pytest.mark.parametrize(
    ("content", "amounts"),
    [
        ("prefix,price\n46,0.05\n", "0.05"),
        ("Price,Prefix\n0.05,+46\n", "0.05"),
        ("prefix,price,channel\n46,0.05,SMS\n46,0.08,RCS\n", "0.05"),
        ("prefix,price,channel\n*,2,\n", "2"),
        ('prefix,price\n46,"0,045"\n', "0.045"),
        ('prefix,price\n46,"1,25"\n', "1.25"),
    ],
)
@pytest.mark.once
def test_prices_come_from_a_file(tmp_path: Path, content: str, amounts: str) -> None:
    """With a channel or without, with a decimal comma where it can be nothing else."""
    path = tmp_path / "prices.csv"
    path.write_text(content, encoding="utf-8")
    assert (
        Decimal(amounts) == seen([(Recipient.sms("+46700000001"), {"name": "a"})], prices=path).cost
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "empty file"),
        ("prefix,amount\n46,1\n", "columns prefix and price"),
        ("prefix,price\n", "no prices"),
        ("prefix,price\n46,1\n+46,2\n", "line 3: must have one price for each prefix"),
        ("prefix,price\nSweden,1\n", "line 2: must have prefixes"),
        ("prefix,price\n46,cheap\n", "line 2: must have a price"),
        ('prefix,price\n46,"1,234"\n', "line 2: must have a price"),
        ("prefix,price\n46,-1\n", "line 2: must have a price"),
        ("prefix,price\n46,nan\n", "line 2: must have a price"),
        ("prefix,price\n46\n", "line 2: must have a price"),
    ],
)
@pytest.mark.once
def test_wrong_prices_are_named_with_their_line(tmp_path: Path, content: str, said: str) -> None:
    """Whatever is wrong in the file, before anything is read."""
    path = tmp_path / "prices.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BulkError, match=said):
        seen([], prices=path)


@pytest.mark.parametrize(
    "prices",
    [
        {"46": -1}, {"46": "x"}, {"46": True}, {"46": float("nan")}, {"x": 1}, {46: 1},
        {"46": 1, "+46": 2}, {"SMS": {"46": 1}, "1": 2}, {"": {"46": 1}}, {"SMS": {"46": None}},
    ],
)  # fmt: skip
@pytest.mark.once
def test_wrong_prices_are_an_argument_that_is_refused(prices: Any) -> None:
    """None is left out in silence."""
    with pytest.raises(BulkArgumentError, match="prices="):
        seen([], prices=prices)


@pytest.mark.once
def test_times_follow_the_queue_of_the_app() -> None:
    """The last request waits for room in the queue; delivery goes as the queue drains."""
    found = seen(rows(30), limits=MessageLimits(queue=10, drain=2))
    assert (10.0, 15.0) == (found.to_accept, found.to_deliver)
    assert 0.0 == seen(rows(10), limits=MessageLimits(queue=10, drain=2)).to_accept


LONG = [*rows(3), {"phone": "+46700009999", "name": "x" * 170}]
CAPS: list[tuple[dict[str, Any], str]] = [
    ({"max_parts": 1}, r"1 SMS of more than 1 part, up to 2 \(line 4\)"),
    ({"max_cost": 0.2, "prices": {"46": "0.05"}}, "costs up to 0.25, more than"),
    ({"max_cost": Decimal(9), "prices": {"1": 1}}, r"4 messages without a price \(SMS\)"),
    ({"approve": lambda _: False}, "not approved"),
]


@pytest.mark.parametrize(("options", "said"), CAPS)
def test_a_job_beyond_its_limits_does_not_begin(
    make_bulk: MakeBulk, tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    """Nothing is sent, and the corrected call takes the same journal; what fits is sent."""
    api, job = FakeBatchApi(), tmp_path / "a.db"
    face = make_bulk(api)
    with pytest.raises(BulkError, match=f"{said}.*nothing was sent"):
        face.go(message=HI, recipients=LONG, job=job, **options)
    with pytest.raises(BulkError, match="interrupted while reading"):
        face.resume(job)
    assert [] == api.paths
    wide = {"max_parts": 2, "max_cost": 1, "prices": {"46": "0.05"}, "approve": lambda _: True}
    assert 4 == face.go(message=HI, recipients=LONG, job=job, **wide).accepted


@pytest.mark.once
def test_a_limit_of_cost_needs_prices(make_bulk: MakeBulk) -> None:
    """Before anything is opened."""
    with pytest.raises(BulkArgumentError, match="max_cost= needs prices="):
        make_bulk(FakeBatchApi()).go(message=HI, recipients=rows(1), max_cost=1)


def test_who_approves_sees_the_preview_before_anything_is_ready(
    make_bulk: MakeBulk, tmp_path: Path
) -> None:
    """It is asked once: a job that goes on was approved."""
    api, asked = FakeBatchApi("403"), list[tuple[int, list[int]]]()

    def approve(found: Preview) -> bool:
        asked.append((found.total, [each.line for each in islice(found.messages(), 2)]))
        return True

    face, job = make_bulk(api), tmp_path / "a.db"
    with pytest.raises(BulkError):
        face.go(message=HI, recipients=rows(3), job=job, approve=approve)
    report: Report = face.go(message=HI, recipients=rows(3), job=job, approve=approve)
    assert (3, [(3, [1, 2])]) == (report.accepted, asked)


@pytest.mark.parametrize("kind", ["csv", "objects"])
def test_a_limit_of_rows_reads_the_first_ones(
    make_bulk: MakeBulk, tmp_path: Path, kind: str
) -> None:
    """The same job without the limit is another one: its first rows would get the message twice."""
    source: object = csv_file(tmp_path, 9) if kind == "csv" else rows(9)
    face, job = make_bulk(FakeBatchApi()), tmp_path / "a.db"
    assert 4 == seen(source, limit=4).total
    assert 4 == face.go(message=HI, recipients=source, job=job, limit=4).accepted
    with pytest.raises(BulkError, match="different rules"):
        face.go(message=HI, recipients=source, job=job)


def test_progress_has_stages(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Rows are read, checked, sent and delivered; rate, time and what is left are told."""
    told: list[Progress] = []
    limits = MessageLimits(queue=1000, drain=0.5)
    make_bulk(FakeBatchApi()).go(
        message=HI, recipients=csv_file(tmp_path, 250), chunk_size=100, limits=limits,
        progress=told.append,
    )  # fmt: skip
    stages = [each.stage for each in told]
    assert list(JobStage) == list(dict.fromkeys(stages))
    assert [0, 100, 200] == [each.total for each in told if each.stage is JobStage.READING]
    last = told[-1]
    assert (250, JobStage.DELIVERING, 0.0) == (last.accepted, last.stage, last.eta)
    assert 400 < (last.to_deliver or 0) <= 500
    assert 0 < (last.rate or 0)
    assert sorted(each.elapsed for each in told) == [each.elapsed for each in told]


def test_a_preview_that_is_cancelled_ends(tmp_path: Path) -> None:
    """The thread that reads ends with the task that waits for it."""
    path = csv_file(tmp_path, 20_000)
    read: list[int] = []

    async def run() -> None:
        begun = asyncio.Event()

        def tell(step: Progress) -> None:
            read.append(step.total)
            begun.set()

        async with AsyncSinch(project_id="P", key_id="K", key_secret="S", region="eu") as sinch:
            task = asyncio.create_task(
                sinch.bulk.preview(message=HI, recipients=path, chunk_size=10, progress=tell)
            )
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    assert max(read) < 20_000


@pytest.mark.once
def test_previews_show_no_recipient() -> None:
    """Neither numbers nor texts nor keys are in what tools print of one, or of its failure."""
    people: list[object] = [{"phone": PHONE, "name": TEXT}]
    found = seen(people, prices={"": 1})
    assert [] == leaks(f"{found} {list(found.messages())}")

    def broken() -> Iterable[object]:
        yield {"phone": PHONE, "name": TEXT}
        raise ValueError("the source broke")

    with pytest.raises(ValueError, match="broke") as caught:
        seen(broken())
    assert [] == leaks(printed(caught.value))


NAMES = st.one_of(
    st.sampled_from(["Ada", "Åsa", "{x}", "€" * 40, "Łuk", "\U0001f600" * 9, "%s", "a" * 200]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9),
)
PEOPLE = st.lists(
    st.tuples(st.integers(1, 6), NAMES, st.sampled_from(["flat", "pair", "two"])), max_size=8
)


@given(people=PEOPLE)
@settings(max_examples=60, deadline=None)
@pytest.mark.once
def test_all_ways_of_counting_agree(people: list[tuple[int, str, str]]) -> None:
    """Totals are the sums of the single messages, whatever is repeated, in blocks or one by one."""

    def shaped(number: int, name: str, kind: str) -> object:
        phone = f"+4670000000{number}"
        if kind == "flat":
            return {"phone": phone, "name": name}
        both = [("RCS", phone), ("SMS", phone)]
        recipient = Recipient.identities(both if kind == "two" else both[1:])
        return recipient, {"name": name}

    prices = {"SMS": {"46": 1}, "RCS": {"467": 2}}
    columns = Columns(to={"phone": "SMS"})
    found = seen(
        [shaped(*each) for each in people], prices=prices, columns=columns, on_invalid="skip"
    )
    single = list(found.messages())
    assert (found.total, sum(found.channels.values())) == (len(single), len(single))
    first = sum(each.sms.parts for each in single if each.sms and each.channels[0] == "SMS")
    assert first == found.parts
    assert sum(each.sms.parts for each in single if each.sms) == found.most_parts
    rich = sum(2 for each in single if "RCS" in each.channels)
    assert found.most_cost == found.most_parts + rich
    assert all(sms_parts(each.text) == each.sms for each in single)


def test_a_text_is_filled_as_the_api_would() -> None:
    """Percent signs, repeated placeholders and braces are nothing special."""
    message = text("100 % ${a}${b} ${a} {x} $y %s")
    (found,) = seen(
        [(Recipient.sms("+46700000001"), {"a": "%d", "b": "${a}"})], message=message
    ).messages()
    assert "100 % %d${a} %d {x} $y %s" == found.text
    assert json.loads(json.dumps(found.message)) == {"text_message": {"text": found.text}}
