"""The keys of an outbox in its journal: each becomes one request, once and for all."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Final, cast

from sqlalchemy import Connection, bindparam, func, insert, select

from sinch_wrapper import _validate
from sinch_wrapper._json import decode, encode
from sinch_wrapper._numbers import NotNumberError, NumberRules, single, with_numbers
from sinch_wrapper.bulk._cells import InvalidError
from sinch_wrapper.bulk._chunks import NewChunk
from sinch_wrapper.bulk._columns import Columns
from sinch_wrapper.bulk._job_spec import JobSpec, message_spec, row_rules
from sinch_wrapper.bulk._journal import Job, Journal, open_job
from sinch_wrapper.bulk._options import RequestOptions, read_options
from sinch_wrapper.bulk._rows_fast import cut
from sinch_wrapper.bulk._rows_objects import ObjectBuilder
from sinch_wrapper.bulk._schema import chunks, facts, keys, pack, pack_places, unpack
from sinch_wrapper.errors import BulkArgumentError, BulkError

_MOST_BYTES: Final = 5_000_000
_LONGEST_KEY: Final = 500
_FIND: Final = select(keys.c.chunk, keys.c.digest).where(keys.c.key == bindparam("wanted"))
_FIND_ALL: Final = select(keys.c.key, keys.c.chunk, keys.c.digest).where(
    keys.c.key.in_(bindparam("wanted", expanding=True))
)
_LAST: Final = select(func.max(chunks.c.id))
_STATES: Final = select(chunks.c.id, chunks.c.state).where(
    chunks.c.id.in_(bindparam("numbers", expanding=True))
)
_OWN: Final = select(keys.c.chunk, keys.c.request).where(
    keys.c.chunk.in_(bindparam("wanted", expanding=True))
)


@dataclass(frozen=True, slots=True)
class KeyedMessage:
    """One message under its caller's *key*; two with the same *digest* are the same message."""

    key: str = field(repr=False)
    digest: bytes = field(repr=False)
    request: bytes = field(repr=False)
    content: bytes = field(repr=False)
    places: bytes = field(repr=False)


def checked_key(key: object) -> str:
    """Check a key; raises BulkArgumentError."""
    found = _validate.string("key", key, error=BulkArgumentError)
    if len(found) > _LONGEST_KEY:
        raise _validate.out_of_range("key", f"at most {_LONGEST_KEY} characters", BulkArgumentError)
    return found


def keyed_message(  # noqa: PLR0913, PLR0917 (all that a message is made of)
    key: str,
    app_id: str,
    to: object,
    message: Mapping[str, object],
    parameters: Mapping[str, str] | None,
    options: RequestOptions,
) -> KeyedMessage:
    """Check a message and put its request together.

    Raises: BulkArgumentError or TypeError for mistakes.
    """
    checked_key(key)
    spec = message_spec(app_id, message, read_options("send()", options, RequestOptions))
    content = _item(spec, to, parameters)
    same = json.dumps([spec.request, decode(content)], sort_keys=True).encode()
    return KeyedMessage(
        key,
        hashlib.sha256(same).digest(),
        pack(encode(spec.request)),
        pack(content),
        pack_places([1], [key]),
    )


def _item(spec: JobSpec, to: object, parameters: Mapping[str, str] | None) -> bytes:
    """The only item of a request, as JSON; raises BulkArgumentError."""
    # As for send(): digits without + stay as they are.
    rules = replace(row_rules(spec), numbers=NumberRules("as-given"))
    build = ObjectBuilder(Columns(), spec.needed, rules, "outbox")
    try:
        found = with_numbers(to, single) if isinstance(to, Mapping) else to
        record = {"recipient": found, "parameters": parameters or {}}
        blocks, skips = cut([build(1, record)], _MOST_BYTES, is_messages=True)
    except NotNumberError as error:
        raise BulkArgumentError(f"to: the identity {error}") from None
    except InvalidError as error:
        name = error.column.replace("recipient", "to") or "to"
        raise BulkArgumentError(f"{name}: {error.reason}") from None
    if skips:
        raise BulkArgumentError(f"to: {skips[0].reason}")
    if build.unused:
        raise BulkArgumentError("parameters: one of them is used by no placeholder")
    return blocks[0].content


def open_outbox(journal: Journal, project: str, created: float) -> Job:
    """The outbox in *journal*, which is made one when it is new.

    Raises: BulkError for the journal of a bulk job, or the outbox of another project.
    """
    if not journal.facts():
        with journal.write() as connection:
            # Another process may have been first.
            if not connection.execute(select(func.count()).select_from(facts)).scalar():
                journal.note(
                    connection, outbox=True, job=secrets.token_hex(8), state="ready", request={},
                    kind="messages", project=project, created=created,
                )  # fmt: skip
    job = open_job(journal)
    if not job.is_outbox:
        raise BulkError(f"journal {journal.name}: it is that of a bulk job, and not an outbox")
    if job.project != project:
        raise BulkError(f"journal {journal.name}: it belongs to another project")
    return job


def refuse_outbox(job: Job) -> None:
    """Raise BulkError for an outbox, where a bulk job is wanted."""
    if job.is_outbox:
        raise BulkError(
            f"journal {job.journal.name}: it is an outbox, whose messages are sent, looked up and "
            "sent again by sinch.outbox()"
        )


def find_key(connection: Connection, key: str) -> tuple[int, bytes] | None:
    """The number of the request that *key* became, and the digest of its message."""
    row = connection.execute(_FIND, {"wanted": key}).first()
    return None if row is None else (row.chunk, row.digest)


def states_of(connection: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """The states of the requests with these numbers."""
    rows = connection.execute(_STATES, {"numbers": numbers})
    return {row.id: row.state for row in rows}


def enqueue(
    journal: Journal, connection: Connection, messages: Sequence[KeyedMessage]
) -> list[int | BulkError]:
    """Write those *messages* whose keys are new; returns the number of each, or why not."""
    wanted = {message.key for message in messages}
    rows = connection.execute(_FIND_ALL, {"wanted": list(wanted)})
    known = {row.key: (row.chunk, row.digest) for row in rows}
    last = connection.execute(_LAST).scalar()
    number = 0 if last is None else last + 1
    new: dict[int, KeyedMessage] = {}
    for message in messages:
        if message.key not in known:
            known[message.key] = number, message.digest
            new[number] = message
            number += 1
    journal.add(connection, [NewChunk(n, 1, each.content, each.places) for n, each in new.items()])
    if new:
        rows_of = [
            {"key": each.key, "chunk": n, "digest": each.digest, "request": each.request}
            for n, each in new.items()
        ]
        connection.execute(insert(keys), rows_of)
    used = BulkError(
        f"journal {journal.name}: this key was used for another message, so nothing was sent: "
        "give each message a key of its own"
    )
    found = [(known[each.key], each.digest) for each in messages]
    return [number if digest == same else copy(used) for (number, same), digest in found]


def own_requests(connection: Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    """The fields of requests of an outbox beside their recipients, packed."""
    rows = connection.execute(_OWN, {"wanted": numbers})
    return {row.chunk: row.request for row in rows}


def read_request(packed: bytes) -> Mapping[str, object]:
    """Undo the packing of own_requests()."""
    return cast("dict[str, object]", decode(unpack(packed)))
