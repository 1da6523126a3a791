"""What the bulk commands show of a job before it begins."""

import dataclasses
import json
import textwrap
from collections.abc import Iterable, Iterator
from itertools import islice

from sinch_wrapper._validate import counted
from sinch_wrapper.bulk import MessagePreview, Preview
from sinch_wrapper.cli._bulk_progress import span
from sinch_wrapper.cli._terminal import say_json, say_wrapped, terminal_width
from sinch_wrapper.cli._wording import command_words

# Characters of a message that is not text.
_LONGEST = 600
_DESTINATIONS = 10
_CHARACTERS = 5


def show_preview(found: Preview, examples: int, *, is_short: bool = False) -> None:
    """Print *found* with the messages of its first recipients; on stderr when *is_short*."""
    width = terminal_width(err=is_short)
    some = islice(found.messages(), examples)
    for line in preview_lines(found, some, width, is_short=is_short):
        say_wrapped(line, err=is_short)


def preview_lines(
    found: Preview, examples: Iterable[MessagePreview], width: int | None, *, is_short: bool
) -> Iterator[str]:
    """The lines of a preview, the texts in it at most *width* wide."""
    yield (
        f"{found.source}: {counted(found.total, 'recipient')} in "
        f"{counted(found.requests, 'request')}"
    )
    if found.understood:
        yield f"Columns: {found.understood}"
    if channels := [f"{name or 'contact id'} {many}" for name, many in found.channels.items()]:
        yield f"Tried first: {', '.join(channels)}"
    yield from _problems(found, is_short=is_short)
    for each in examples:
        yield from _message(each, width)
    yield from _sms(found)
    yield from _cost(found, is_short=is_short)
    if found.last_at is not None:
        yield f"Within the window, the last message goes out at {found.last_at:%Y-%m-%d %H:%M} UTC."
    elif found.total:
        later = f"from {found.send_after} on, " if found.send_after else ""
        yield f"Accepted {_time(found.to_accept)}; delivered {later}{_time(found.to_deliver)}."
    for warning in found.warnings:
        yield f"Note: {command_words(warning)}."
    for refusal in found.refusals:
        yield f"bulk send would refuse it: {command_words(refusal)}."


def _time(seconds: float) -> str:
    return f"in about {span(seconds)}" if seconds >= 1 else "at once"


def _problems(found: Preview, *, is_short: bool) -> Iterator[str]:
    if not found.problems:
        return
    duplicates = counted(found.duplicates, "duplicate")
    suppressed = f", {found.suppressed} suppressed" if found.suppressed else ""
    yield f"Left out: {found.invalid} invalid, {duplicates}{suppressed}"
    for each in found.problems[: 3 if is_short else None]:
        lines = ", ".join(map(str, each.lines)) + (", ..." if each.rows > len(each.lines) else "")
        column = f", {each.column}" if each.column else ""
        word = "line" if each.rows == 1 else "lines"
        reason = command_words(each.reason)
        yield f"  {counted(each.rows, 'row')}{column}: {reason} ({word} {lines})"


def _message(each: MessagePreview, width: int | None) -> Iterator[str]:
    key = "" if each.key is None else f" ({each.key})"
    channels = ", then ".join(each.channels) or "contact id"
    parts = ""
    if each.sms is not None:
        odd = f" because of {' '.join(each.not_gsm[:_CHARACTERS])}" if each.not_gsm else ""
        how = f"{each.sms.encoding}{odd}, {each.sms.units} units"
        parts = f", {counted(each.sms.parts, 'part')} ({how})"
    yield f"Line {each.line}{key}, {channels}{parts}:"
    content = each.message.get("text_message")
    text = content.get("text") if isinstance(content, dict) else None
    if isinstance(text, str):
        yield from _wrapped(text, width)
    else:
        whole = json.dumps(each.message, ensure_ascii=False)
        short = whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]} ..."
        yield from _wrapped(short, width)
    if each.text and each.text != text:
        yield "  as SMS:"
        yield from _wrapped(each.text, width)


def _wrapped(text: str, width: int | None) -> Iterator[str]:
    for line in text.replace("\r\n", "\n").split("\n"):
        if width is None:
            yield f"  {line}"
            continue
        for piece in textwrap.wrap(line, max(width - 2, 20), drop_whitespace=False) or [""]:
            yield f"  {piece}"


def _sms(found: Preview) -> Iterator[str]:
    if found.sms_unknown:
        yield f"SMS: parts cannot be counted: {command_words(found.sms_unknown)}"
    if not found.sms:
        return
    more = ""
    if found.most_parts > found.parts:
        more = f", up to {found.most_parts} when other channels fail"
    yield f"SMS: {counted(found.parts, 'part')}{more}"
    for group in found.sms:
        some = f"{group.recipients} of" if group.recipients or not group.fallbacks else "0 of"
        later = f", and {group.fallbacks} after other channels" if group.fallbacks else ""
        first = f", such as line {group.line}" if group.line else ""
        yield f"  {some} {counted(group.parts, 'part')} ({group.encoding}){later}{first}"


def _cost(found: Preview, *, is_short: bool) -> Iterator[str]:
    if found.destinations is None:
        return
    more = f", up to {found.most_cost:f}" if found.most_cost != found.cost else ""
    less = f", and {counted(found.unpriced, 'message')} without a price" if found.unpriced else ""
    yield f"Cost: {found.cost:f}{more}{less}"
    for each in () if is_short else found.destinations[:_DESTINATIONS]:
        price = "without a price" if each.price is None else f"at {each.price:f}"
        noun = "part" if each.channel == "SMS" else "message"
        where = f"{each.channel or 'contact id'} {each.prefix}".strip()
        later = " when other channels fail" if each.is_fallback else ""
        yield f"  {where}: {counted(each.messages, noun)} {price}{later}"


def show_preview_json(found: Preview, examples: int) -> None:
    """Print all that is in *found* as JSON, with the messages of its first recipients."""
    fields = [each.name for each in dataclasses.fields(found) if not each.name.startswith("_")]
    names = (*fields, "parts", "most_parts", "cost", "most_cost", "unpriced")
    values = {name: _plain(getattr(found, name)) for name in names}
    values["problems"] = [
        {**dataclasses.asdict(each), "reason": command_words(each.reason)}
        for each in found.problems
    ]
    values["refusals"] = [*map(command_words, found.refusals)]
    some = [message_json(each) for each in islice(found.messages(), examples)]
    say_json({**values, "examples": some})


def message_json(each: MessagePreview) -> dict[str, object]:
    """One message as JSON has it."""
    fields = {name: getattr(each, name) for name in ("line", "key", "channels", "message", "text")}
    return {**fields, "sms": None if each.sms is None else each.sms._asdict()}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return value
