"""Who opts out and in: by callbacks about consents, and by the words of inbound messages; pure.

Machines compare whole texts, and that is less than the law of some countries asks: what is not
exactly such a word but may be meant so is *doubtful*, which is for a person to read.

Sources: Sinch documentation, Consent management (the callbacks; default words in English, Spanish
and Portuguese), and its list for the USA and Canada; Twilio, AWS and Telnyx, opt-out keywords; 47
CFR 64.1200(a)(10).
"""

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from sinch_wrapper import _validate
from sinch_wrapper.callbacks._events import Event
from sinch_wrapper.callbacks._receipts import object_field, text_field
from sinch_wrapper.errors import ConfigurationError

STOP_WORDS: Final = (
    "STOP", "STOPALL", "STOP ALL", "STOPP", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE",
    "OPTOUT", "OPT OUT", "REMOVE", "ARRET", "ARRETE", "ARRETT", "DETENER", "SALIR", "PARAR",
    "CANCELAR",
)  # fmt: skip
"""The words by which people opt out, when they are all of a message."""

START_WORDS: Final = (
    "START", "UNSTOP", "SUBSCRIBE", "NONARRET", "VOLVER", "RECIBIR", "VOLTAR", "RECEBER",
)  # fmt: skip
"""The words by which people opt in again. YES is not one: it answers questions."""

# At the beginning of a sentence these say something else as often as not.
_ORDINARY: Final = frozenset({"cancel", "end", "cancelar"})
# Wherever these stand, somebody may want to opt out.
_ANYWHERE: Final = frozenset({"stop", "unsubscribe"})
_DROPPED: Final = frozenset({"Mn", "Me", "Cf"})
_INBOUND: Final = frozenset({"message", "message_redaction"})
_CONSENTS: Final = {
    "opt_out_notification": ("OPT_OUT_SUCCEEDED", "out"),
    "opt_in_notification": ("OPT_IN_SUCCEEDED", "in"),
}


def bare(text: str) -> str:
    """*text* as it is compared: without accents, marks and signs, in lower case, single blanks."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = (each for each in plain if unicodedata.category(each) not in _DROPPED)
    letters = (each if unicodedata.category(each)[0] in "LN" else " " for each in kept)
    return " ".join("".join(letters).split())


class ConsentKind(StrEnum):
    """What somebody wants: to opt out, to opt in again, or perhaps to opt out."""

    OUT = "out"
    IN = "in"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class OptOutWords:
    """The words that count in inbound messages.

    *stop* and *start* take the place of the usual ones (`STOP_WORDS`, `START_WORDS`). *doubtful*
    says what a message does that may be meant as an opt-out: `"person"` leaves it to a person,
    `"suppress"` counts it as one.

    Raises: ConfigurationError for what is not a list of words.
    """

    stop: Collection[str] = STOP_WORDS
    start: Collection[str] = START_WORDS
    doubtful: Literal["person", "suppress"] = "person"

    def __post_init__(self) -> None:
        for name in ("stop", "start"):
            given = _validate.items(
                name, getattr(self, name), may_be_empty=True, error=ConfigurationError
            )
            if not all(isinstance(each, str) and bare(each) for each in given):
                raise _validate.out_of_range(name, "a list of words", ConfigurationError)
            object.__setattr__(self, name, frozenset(bare(str(each)) for each in given))
        _validate.one_of(
            "doubtful", self.doubtful, ("person", "suppress"), error=ConfigurationError
        )


USUAL_WORDS: Final = OptOutWords()
"""The words that count unless others are given."""


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """Somebody opts out or in (*kind*), or may want to.

    It is *identity* on *channel*, or *contact_id*, and the messages of *app_id*.

    *reason* is `"callback"`, or `"word"` when it is read from a message, whose *word* that was;
    *text* is the whole message when it is doubtful. *at* is when it happened, in Unix seconds, None
    when nothing says so. *source_id* is the id of the message or request.
    """

    kind: ConsentKind
    reason: str
    channel: str
    identity: str = field(repr=False)
    contact_id: str = ""
    app_id: str = ""
    word: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    at: float | None = None
    source_id: str = ""


def consent_change(event: Event, words: OptOutWords = USUAL_WORDS) -> ConsentChange | None:
    """What *event* says about somebody's wish to get messages; None when it says nothing.

    OPT_OUT and OPT_IN count when they have succeeded. Of inbound messages the texts count, and the
    buttons that were pressed.

    Raises: TypeError when *event* is not an Event, or *words* are not OptOutWords.
    """
    _validate.instance("event", event, Event, "an Event")
    _validate.instance("words", words, OptOutWords, "OptOutWords")
    if event.kind in _CONSENTS:
        return _by_callback(event)
    return _by_words(event, words) if event.kind in _INBOUND else None


def _by_callback(event: Event) -> ConsentChange | None:
    status, kind = _CONSENTS[event.kind]
    found = event.payload
    if found.get("status") != status:
        return None
    return ConsentChange(
        ConsentKind(kind),
        "callback",
        text_field(found, "channel"),
        text_field(found, "identity"),
        text_field(found, "contact_id"),
        event.app_id,
        at=_time(event),
        source_id=text_field(found, "request_id"),
    )


def _by_words(event: Event, words: OptOutWords) -> ConsentChange | None:
    message = event.payload
    if message.get("direction", "TO_APP") != "TO_APP":
        return None
    text = _said(object_field(message, "contact_message"))
    kind = meaning(text, words)
    if kind is None:
        return None
    identity, is_doubtful = object_field(message, "channel_identity"), kind is ConsentKind.DOUBTFUL
    if is_doubtful and words.doubtful == "suppress":
        kind = ConsentKind.OUT
    return ConsentChange(
        kind,
        "word",
        text_field(identity, "channel"),
        text_field(identity, "identity"),
        text_field(message, "contact_id"),
        event.app_id,
        "" if is_doubtful else bare(text),
        text if is_doubtful else "",
        _time(event),
        text_field(message, "id"),
    )


def meaning(text: str, words: OptOutWords = USUAL_WORDS) -> ConsentKind | None:
    """What a person wants who writes *text*; None when it is about something else."""
    said = bare(text)
    if said in words.stop:
        return ConsentKind.OUT
    if said in words.start:
        return ConsentKind.IN
    is_first = any(said.startswith(f"{word} ") for word in set(words.stop) - _ORDINARY)
    is_there = not (_ANYWHERE & set(words.stop)).isdisjoint(said.split())
    return ConsentKind.DOUBTFUL if is_first or is_there else None


def _said(message: Mapping[str, object]) -> str:
    """The text of a message, or that of the button that was pressed."""
    text = text_field(object_field(message, "text_message"), "text")
    return text or text_field(object_field(message, "choice_response_message"), "postback_data")


def _time(event: Event) -> float | None:
    found = event.event_time or event.accepted_time
    return None if found is None else found.timestamp()
