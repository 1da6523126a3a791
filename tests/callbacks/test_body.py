"""Bodies are read strictly, and alike with orjson and with the standard library."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sinch_wrapper.callbacks import read_event
from sinch_wrapper.callbacks._strict_json import MAX_DEPTH, decode_fast, decode_portably, read_text
from sinch_wrapper.errors import CallbackParseError

FRAGMENTS = [
    "{", "}", "[", "]", ",", ":", '"', '"a"', '"a":1', "\\", "\\u", "\\ud800", "\\ude00",
    "\\u003a", "\\u003A", "0", "-", "-0", "1", "1e5", "1e400", ".5", "9" * 25, "null", "true",
    "NaN", "Infinity", " ", "\n", "é", "\ufeff", "\x00", "message", "{}", "[]", '"":{}',
    "18446744073709551616",
]  # fmt: skip


def outcome(decode: object, content: bytes) -> object:
    """The value that a decoder reads from *content*, in a form that separates 1, 1.0 and True."""
    try:
        return repr(decode(content))  # type: ignore[operator]  # one of the two decoders
    except (ValueError, RecursionError):
        return "refused"


@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=12).map("".join))
def test_both_libraries_read_fragments_alike(text: str) -> None:
    """For any body both libraries give the same value, or both refuse it."""
    content = text.encode(errors="surrogatepass")
    assert outcome(decode_portably, content) == outcome(decode_fast, content)


@given(st.binary(max_size=40))
def test_both_libraries_read_bytes_alike(content: bytes) -> None:
    """For any bytes both libraries give the same value, or both refuse them."""
    assert outcome(decode_portably, content) == outcome(decode_fast, content)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ),
    st.sampled_from([None, 1, "\t"]),
    st.booleans(),
)
def test_both_libraries_read_json_alike(value: object, indent: object, escaped: bool) -> None:  # noqa: FBT001 (drawn)
    """JSON in any layout, with numbers of any size, is read alike by both libraries."""
    text = json.dumps(value, indent=indent, ensure_ascii=escaped)  # type: ignore[arg-type]  # any of the three
    content = text.encode(errors="surrogatepass")
    assert outcome(decode_portably, content) == outcome(decode_fast, content)


@pytest.mark.parametrize("decode", [decode_fast, decode_portably])
@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1,"a":1}',
        b'{"a":1, "a":2}',
        b'{"a:":1,"a\\u003a":2}',
        b'[{"x":{"a":":","a":"::"}}]',
        b'{"b:":"","a":1,"a":"\\u003a"}',
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"9" * 5000,
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b'"\xed\xa0\x80"',
        b"\xff",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b"[" * 100_000,
    ],
)
def test_what_is_no_proper_json_is_refused(decode: object, content: bytes) -> None:
    """Duplicate keys, invalid numbers, half surrogates, and deep nesting are refused."""
    assert "refused" == outcome(decode, content)


@pytest.mark.parametrize("decode", [decode_fast, decode_portably])
@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"\xef\xbb\xbf{}", {}),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
        (b"[" + b"[]," * 500 + b"[]]", [[]] * 501),
        (b'{"a":{"a":1},"b":"a:a"}', {"a": {"a": 1}, "b": "a:a"}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b"18446744073709551615", 2**64 - 1),
        (b"18446744073709551616", 2.0**64),
        (b"-9223372036854775809", -(2.0**63)),
    ],
)
def test_proper_json_is_read(decode: object, content: bytes, value: object) -> None:
    """Bodies that only look wrong pass; integers beyond 64 bits become floats."""
    found = decode(content)  # type: ignore[operator]  # one of the two decoders
    assert value is None or repr(value) == repr(found)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_bytes_are_bytes(kind: type) -> None:
    """The buffers of frameworks are accepted as well."""
    assert b'{"app_id":"A"}' == read_event(kind(b'{"app_id":"A"}')).body


@pytest.mark.parametrize("body", [None, "{}", {}, 5, ["{}"]])
def test_what_is_no_bytes_is_a_parse_error(body: object) -> None:
    """A body that was decoded or parsed already is refused, with the reason."""
    with pytest.raises(CallbackParseError, match="bytes as received"):
        read_event(body)  # type: ignore[arg-type]  # the mistake


def test_ten_megabytes_are_read() -> None:
    """Large bodies are read; a receiver has its own limit."""
    body = json.dumps({"message": {"text": "x" * 10_000_000, "n": [{"a": 1}] * 1000}}).encode()
    assert 10_000_000 == len(str(read_event(body).payload["text"]))


@pytest.mark.parametrize("text", [None, 5, "", "no json", "[]", "{", "\ud800", '{"a":1,"a":2}'])
def test_metadata_that_is_no_object_is_empty(text: object) -> None:
    """Decoding metadata never raises."""
    assert {} == read_text(text)
