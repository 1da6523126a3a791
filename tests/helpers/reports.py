"""Jobs with every kind of end, written into a journal without sending anything slow."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from sinch_wrapper import Sinch, text
from sinch_wrapper._http import httpx
from sinch_wrapper.bulk import Columns, Report
from sinch_wrapper.bulk._journal import Journal
from sinch_wrapper.bulk._schema import chunks, outcomes
from tests.helpers.bulk import APP, SETTLE, FakeBatchApi

HOSTILE: Sequence[str] = (
    "<script>document.title='owned'</script>",
    "</script><script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "'><svg/onload=document.title='owned'>",
    "<!--<script>",
    "]]>&lt;b&gt;&amp;",
    "javascript:document.title='owned'",
    "\u202eevil\u2028line\x00\x1b[31m",
)
CODES = ("+4670", "+49151", "+3361", "+44790", "+1202")


def write_input(path: Path, count: int, names: Sequence[str] = ("Ada", "Björn")) -> Path:
    """A CSV of *count* rows; every hundredth has no name, and one repeats another."""
    lines = ["customer,phone,name"]
    for row in range(count):
        at = 1 if row == count - 1 > 1 else row
        number = f"{CODES[at % len(CODES)]}{at:07d}"
        name = "" if row % 100 == 99 else names[row % len(names)]
        lines.append(f'C{row},{number},"{name.replace(chr(34), chr(34) * 2)}"')
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def sent_job(folder: Path, source: Path, *script: str, said: str = "too long", **more: Any) -> Path:
    """The journal of a job that was sent to a scripted API."""
    api = FakeBatchApi(*script)
    api.said = said
    job = folder / "job.db"
    with Sinch(
        project_id="p",
        key_id="k",
        key_secret="s",
        region="eu",
        limits=None,
        transport=httpx.MockTransport(api),
    ) as sinch:
        sinch.bulk.send(
            app_id=APP, message=text("Hi ${name}"), recipients=source, job=job,
            columns=Columns(key="customer"), on_invalid="skip", settle=SETTLE,
            send_again="never", **more,
        )  # fmt: skip
    return job


def add_receipts(job: Path, reasons: Sequence[str], *, failing: float = 0.2) -> None:
    """Receipts for the accepted recipients of *job*, over an hour, some with *reasons*."""
    chance, journal = random.Random(1), Journal(job, must_exist=True)  # noqa: S311 (no secret)
    began = journal.now()
    with journal.write() as connection:
        query = select(chunks.c.id, chunks.c.count).where(chunks.c.state == "accepted")
        for number, (chunk, count) in enumerate(connection.execute(query).all()):
            at = began + number * 60_000
            times = {"left_at": at, "settled_at": at + 100 * (number + 1)}
            connection.execute(update(chunks).where(chunks.c.id == chunk).values(**times))
            rows = [
                {"chunk": chunk, "position": place, "state": "failed" if bad else "delivered",
                 "reason": reasons[place % len(reasons)] if bad else "", "message_id": f"M{place}",
                 "detail": f"not reachable: +46700000012, {reasons[place % len(reasons)]}" * bad,
                 "at": at + 1000}
                for place in range(count)
                for bad in [chance.random() < failing]
            ]  # fmt: skip
            connection.execute(insert(outcomes), rows)
    journal.close()


def reported(folder: Path, count: int, reasons: Sequence[str] = HOSTILE, **more: Any) -> Report:
    """The report of a job of *count* rows, of which many failed for *reasons*."""
    source = write_input(folder / "people.csv", count, more.pop("names", ("Ada", "Björn")))
    script = more.pop("script", ("ok", "ok", "400", "dropped"))
    failing = more.pop("failing", 0.2)
    job = sent_job(folder, source, *script, said=reasons[0], **more)
    add_receipts(job, reasons, failing=failing)
    return Report(job)
