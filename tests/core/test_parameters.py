"""Placeholders are found wherever they are, and parameters are compared with them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper import ParameterError, card, text
from sinch_wrapper.parameters import check_parameters, lookalikes, mismatches, placeholders

NAMES = st.text(st.characters(exclude_characters="}", exclude_categories=["Cs"]), max_size=8)


def nested(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """JSON values with *leaf* somewhere inside."""
    keys = st.text(max_size=3)
    return st.recursive(leaf, lambda inner: st.lists(inner) | st.dictionaries(keys, inner))


@given(name=NAMES, before=st.text(max_size=5), data=st.data())
def test_a_placeholder_is_found_at_any_depth(name: str, before: str, data: st.DataObject) -> None:
    """A placeholder in a string of any nested value is found."""
    before = before.replace("$", "")
    leaf = st.just(f"{before}${{{name}}}")
    value = data.draw(nested(leaf).filter(lambda value: "${" in str(value)))
    assert frozenset({name}) == placeholders(value)


def test_placeholders_of_messages_are_found() -> None:
    """Text, titles and channel overrides all count."""
    message = card(
        title="Hi ${name}",
        description="${a} and ${b}",
        explicit_channel_message={"SMS": "to ${channel}"},
    )
    assert {"name", "a", "b", "channel"} == placeholders(message)


def test_a_message_without_placeholders_needs_nothing() -> None:
    """Dollar signs and braces alone are not placeholders."""
    assert frozenset() == placeholders(text("5 $, {x}, $x, ${open"))


@pytest.mark.parametrize(
    ("parameters", "kinds"),
    [
        ({"name": "Ada"}, []),
        ({}, ["missing"]),
        ({"name": ""}, ["empty_value"]),
        ({"name": "Ada", " ": "x"}, ["blank_key"]),
        ({"name": 7}, ["not_text"]),
        ({"name": "Ada", "city": "Oslo"}, ["unused"]),
    ],
)
def test_each_mismatch_has_its_kind(parameters: dict[str, object], kinds: list[str]) -> None:
    """Missing, blank, empty and unused parameters are distinguished."""
    found = mismatches(frozenset({"name"}), parameters)
    assert kinds == [mismatch.kind for mismatch in found]


@given(names=st.sets(st.text(min_size=1).filter(str.strip)))
def test_exactly_the_needed_parameters_fit(names: set[str]) -> None:
    """A value for each needed name, and nothing else, is never a mismatch."""
    assert () == mismatches(frozenset(names), dict.fromkeys(names, "value"))


def test_an_error_names_recipient_and_key_but_no_value() -> None:
    """The error holds the place and the name; values are never in it."""
    with pytest.raises(ParameterError) as caught:
        check_parameters(text("Hi ${name}"), {"other": "planted"}, recipient=7)
    error = caught.value
    assert (7, "name") == (error.recipient, error.key)
    assert "recipient 7: parameter 'name'" in str(error)
    assert "planted" not in str(error)


def test_unused_parameters_are_not_an_error() -> None:
    """A parameter that no placeholder uses does not raise."""
    check_parameters(text("Hi"), {"name": "Ada"})


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("Hi {name}, {{ city }}", ["{{ city }}", "{name}"]),
        ("Hi $name, ${name", ["${name", "$name"]),
        ("Hi %name% %(name)s *|NAME|* $(name)", ["$(name)", "%name%", "%(name)s", "*|NAME|*"]),
        ("Only ${name}: $5, 20 % off, 100% of {}, {1}, a_b", []),
    ],
)
def test_what_looks_like_a_placeholder_is_found(words: str, written: list[str]) -> None:
    """Only ${name} is one; the forms of other programs would be sent as they are."""
    found = lookalikes({"text_message": {"text": words}})
    assert written == [each.written for each in found if each.is_likely]


def test_brackets_count_for_names_only() -> None:
    """[name] may be a word of the text; its name is matched however it is spelt."""
    (found,) = lookalikes(["Dear [First Name]"])
    assert (False, True, False) == (
        found.is_likely,
        found.matches("first_name"),
        found.matches("x"),
    )
