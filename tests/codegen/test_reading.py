"""Reading documents: what plain text means, and files that are not documents."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from codegen.document import Refused
from codegen.reading import load


def read(folder: Path, text: str | bytes) -> dict[str, object]:
    """What a file of that content holds."""
    path = folder / "a.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("true", True),
        ("12:30", "12:30"),
        ("2030-05-17", "2030-05-17"),
        ("2030-13-45", "2030-13-45"),
        ("2030-05-17T12:00:00Z", "2030-05-17T12:00:00Z"),
        ("007", "007"),
        ("1_000", "1_000"),
        (".nan", ".nan"),
        ("0", 0),
        ("-17", -17),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("null", None),
        ("", None),
    ],
)
def test_plain_text_means_what_json_says(tmp_path: Path, text: str, value: object) -> None:
    """Countries, times and dates are strings, not booleans, numbers or date-times."""
    assert {"x": [value]} == read(tmp_path, f"x:\n- {text}\n")


def test_keys_are_text(tmp_path: Path) -> None:
    """Status codes, dates and truth values are names when they stand before a colon."""
    assert ["200", "2030-05-17", "on", "true"] == [
        *read(tmp_path, "200: a\n2030-05-17: a\non: a\ntrue: a\n")
    ]


def test_byte_order_mark_is_no_part_of_a_document(tmp_path: Path) -> None:
    """Some editors begin a file with it, in YAML and in JSON."""
    assert [{"a": 1}] * 2 == [
        read(tmp_path, b"\xef\xbb\xbf" + text) for text in (b"a: 1", b'{"a":1}')
    ]


def test_aliases_and_merges_are_resolved(tmp_path: Path) -> None:
    """A document may say things once and refer to them."""
    text = "a: &a {b: 1}\nc: *a\nd:\n  <<: *a\n  e: 2\n"
    assert {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}} == read(tmp_path, text)


def nested(depth: int) -> str:
    """JSON of some levels."""
    return '{"a":' * depth + "1" + "}" * depth


LAUGHS = "\n".join(
    ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
)
CHAIN = "\n".join(["a0: &a0 [1]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 5000))])
MERGES = "\n".join(
    ["a0: &a0 {k: 1}"]
    + [
        f"a{n}: &a{n}\n  <<: [{', '.join(f'*a{m}' for m in range(n))}]\n  k{n}: 1"
        for n in range(1, 400)
    ]
)
DEEP = "is nested more than 200 levels deep, or contains itself; name its parts as components"
MANY = "has more than 100000 nodes; split it"
FAULTS: dict[str, tuple[str | bytes, str]] = {
    "a control character": ("a: \x01b", "a.yaml: is not valid YAML"),
    "two documents": ("a: 1\n---\nb: 2\n", "a.yaml, line 2: begins a second document"),
    "a Python object": (
        "a: !!python/object:os.system {}",
        "a.yaml, line 1: has the tag tag:yaml.org,2002:python/object:os.system",
    ),
    "a Python call": ("a: !!python/object/apply:os.getcwd []", "which JSON does not have"),
    "a moment": ("a: !!timestamp 2030-05-17", "which JSON does not have"),
    "a number that is none": ("a: !!int b", "cannot be written as JSON (invalid literal"),
    "a number of 5000 digits": ("a: " + "1" * 5000, "cannot be written as JSON (Exceeds the limit"),
    "such a number in JSON": (
        '{"a": ' + "1" * 5000 + "}",
        "cannot be written as JSON (Exceeds the",
    ),
    "a number without end": ("a: 1e999", "cannot be written as JSON (Out of range"),
    "no number in JSON": ('{"a": NaN}', "cannot be written as JSON (Out of range"),
    "half a character": (r'{"a": "\ud800"}', "cannot be written as JSON ('utf-8' codec"),
    "many levels": (nested(300), "levels deep"),
    "more levels": (nested(900), "levels deep"),
    "endless levels": (nested(100_000), DEEP),
    "endless lists": ("a: " + "[" * 50_000, DEEP),
    "endless mappings": ("a: " + "{a: " * 50_000, DEEP),
    "endless dashes": ("- " * 50_000 + "1", DEEP),
    "endless indentation": ("\n".join(" " * n + "a:" for n in range(1500)), DEEP),
    "endless lists in JSON": ('{"a":' + "[" * 2_000_000, DEEP),
    "itself": ("a: &a\n  b: *a\n", DEEP),
    "a name that nothing has": ("a: *b", "refers to b, which is not defined before"),
    "a billion laughs": (LAUGHS, "nodes, aliases resolved; write it without them"),
    "a chain of aliases": (CHAIN, "nodes, aliases resolved"),
    "merges of merges": (MERGES, MANY),
    "a merge of a number": ("a:\n  <<: 5", "merges what is not a mapping"),
    "two merges": ("b: &b {}\na:\n  <<: *b\n  <<: *b", "the key '<<' occurs twice"),
    "a long list": ("a: [" + "1," * 2_400_000 + "1]", MANY),
    "a long list in JSON": ('{"a": [' + "1," * 2_400_000 + "1]}", "aliases resolved"),
    "many lines": ("a:\n" + "- 1\n" * 1_200_000, MANY),
    "many bytes": ("a: " + "x" * 5_000_001, "is larger than 5000000 bytes; check the file"),
    "another encoding": ("a: b".encode("utf-16"), "a.yaml: is not UTF-8; convert it"),
    "a repeated key": ("a: 1\na: 2", "line 2: the key 'a' occurs twice in one mapping"),
    "a repeated key in JSON": ('{"a": 1, "a": 2}', "the key 'a' occurs twice in one mapping"),
    "a list as a key": ("? [a]\n: 1", "a.yaml, line 1: has a key that is not a string"),
    "an alias as a key": ("a: &a b\n*a : 1", "has a key that is not a string"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_file_that_is_no_document_is_refused(tmp_path: Path, kind: str) -> None:
    """Whatever a file holds, it is read or refused in one line, within a second."""
    text, expected = FAULTS[kind]
    before = time.process_time()
    with pytest.raises(Refused) as caught:
        read(tmp_path, text)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.process_time() - before < 2  # on a busy machine


def test_merge_of_one_mapping_many_times_costs_nothing(tmp_path: Path) -> None:
    """Ten merges of ten merges, eight levels deep, are one mapping of the keys."""
    lines = ["a0: &a0 {k: 1, j: 2}"]
    lines += [
        f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 10)}]\n  k: {n}" for n in range(1, 9)
    ]
    assert {"k": 8, "j": 2} == read(tmp_path, "\n".join(lines))["a8"]


def test_merged_keys_give_way(tmp_path: Path) -> None:
    """The mapping's own keys win, and the first of several merged ones."""
    text = "a: &a {x: 1, y: 1, z: 1}\nb: &b {y: 2, z: 2}\nc:\n  z: 3\n  <<: [*b, *a]\n"
    assert {"x": 1, "y": 2, "z": 3} == read(tmp_path, text)["c"]


def test_deep_document_that_somebody_may_have_is_read(tmp_path: Path) -> None:
    """The limit is far above what documents have."""
    assert json.loads(nested(150)) == read(tmp_path, nested(150))
