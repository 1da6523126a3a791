"""Lists as people have them: what is sent, and what is refused, with its line and the remedy.

Each list is of a kind that was seen in the wild: exports of spreadsheets and address books, forms,
old databases. `sent` has the identities that leave, in order; `refused` the lines that do not.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sinch_wrapper import BulkError, Recipient, template, template_reference, text
from sinch_wrapper._numbers import number_plans
from sinch_wrapper.bulk import Columns
from tests.helpers.bulk import FakeBatchApi, MakeBulk, make_bulk
from tests.helpers.spreadsheets import excel_file

__all__ = ["make_bulk"]

pytestmark = pytest.mark.once
NAN = float("nan")
A, B, C = "+46700000001", "+46700000002", "+46700000003"
BARE, NATIONAL = "phone: has no + before a country code", "phone: begins with 0"
MSISDN, SWEDEN = {"numbers": "msisdn"}, {"default_country": "SE"}
TWICE = "the same recipient as on line"
EXCEL = "phone: was rounded by a spreadsheet"
BOTH = {"columns": Columns(to=[("phone", "WHATSAPP"), ("phone", "SMS")])}


@dataclass(frozen=True)
class OddList:
    """One list: a file by its text, or rows."""

    name: str
    content: str | list[Any]
    sent: Sequence[str] = ()
    refused: Mapping[int, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    encoding: str = "utf-8"


def column(*cells: str) -> str:
    """A file with one column of numbers."""
    return "phone\n" + "".join(f'"{cell.replace(chr(34), chr(34) * 2)}"\n' for cell in cells)


LISTS = [
    # One person in many spellings
    OddList("blanks", column("+46 70 000 00 01", A), [A], {3: TWICE}),
    OddList(
        "hyphens and brackets", column("+46-70-000-00-02", "(+46) 70 000 00 02"), [B], {3: TWICE}
    ),
    OddList("zero in brackets", column("+46 (0)70-000 00 01"), [A]),
    OddList("two zeros", column("0046700000001", "00 46 70 000 00 01"), [A], {3: TWICE}),
    OddList(
        "address book marks",
        column("\u202a+46700000001\u202c", "\u200e+46700000001"),
        [A],
        {3: TWICE},
    ),
    OddList("fixed blanks", column("+46\u00a070\u202f000\u200900\u200b01"), [A]),
    OddList("dashes of a word processor", column("+46\u201170\u2013000\u201200\u221201"), [A]),
    OddList(
        "full width",
        column("\uff0b\uff14\uff16\uff17\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff11"),
        [A],
    ),
    OddList(
        "arabic digits",
        column("+\u0664\u0666\u0667\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0661"),
        [A],
    ),
    OddList(
        "links",
        column("tel:+46-700-000001", "whatsapp:+46700000002", "sms:+46700000003?body=x"),
        [A, B, C],
    ),
    OddList(
        "text guards", column("'+46700000001", '="+46700000002"', "\u2018+46700000003"), [A, B, C]
    ),
    OddList("mark of order in front", "\ufeffphone\n\ufeff+46700000001\n", [A]),
    OddList("blanks around", column(" +46700000001\t"), [A]),
    # Digits alone
    OddList("bare digits", column("46700000001", B), [B], {2: BARE}),
    OddList(
        "bare digits, said so", column("46700000001", A, "46700000002"), [A, B], {3: TWICE}, MSISDN
    ),
    OddList("an American number without 1", column("2125550123"), [], {2: "default_country="}),
    OddList("lost zero", column("700000001"), [], {2: 'numbers="msisdn"'}),
    OddList("national form", column("070-000 00 01"), [], {2: NATIONAL}),
    OddList(
        "national form, said where", column("070-000 00 01", "700000002", C), [A, B, C], {}, SWEDEN
    ),
    OddList(
        "national form, msisdn", column("0700000001", "46700000002"), [B], {2: NATIONAL}, MSISDN
    ),
    OddList(
        "all forms of a country",
        column("0700000001", "46700000001", "0046700000001", A),
        [A],
        {3: TWICE, 4: TWICE, 5: TWICE},
        SWEDEN,
    ),
    OddList("short codes", column("72345", A), [A], {2: 'numbers="as-given"'}),
    OddList(
        "short codes, as given",
        column("72345", "INFO", "72345"),
        ["72345", "INFO"],
        {4: TWICE},
        {"numbers": "as-given"},
    ),
    # What a spreadsheet does to numbers
    OddList(
        "scientific",
        column("4.67E+10", "4,67E+10", "4.67E+10"),
        [],
        {2: EXCEL, 3: EXCEL, 4: "format the column as text"},
    ),
    OddList(
        "decimals",
        column("46700000001.0", "+46700000002,00", "46700000003.5"),
        [A, B],
        {4: EXCEL},
        MSISDN,
    ),
    OddList(
        "error values",
        column("#REF!", "#N/A", "########", "#BEZUG!"),
        [],
        dict.fromkeys((2, 3, 4, 5), "phone: is an error value"),
    ),
    OddList(
        "formulas",
        column("=A1+B2", "=46700000001"),
        [],
        dict.fromkeys((2, 3), "phone: is a formula"),
    ),
    OddList(
        "dates", column("2026-11-28", "28.11.2026"), [], dict.fromkeys((2, 3), "phone: is a date")
    ),
    OddList(
        "zeros after the fifteenth digit",
        column("+467000000010000000"),
        [],
        {2: "phone: is too long"},
    ),
    OddList("empty columns and rows", f"phone,,,\n{A},,,\n,,,\n , ,,\n{B},,,\n", [A, B]),
    OddList("empty cells beyond the header", f"phone\n{A},,\n{B}\n", [A, B]),
    OddList("semicolons", f"phone;note\n{A};a, b\n{B};c\n", [A, B]),
    OddList("tabs, UTF-16", f"phone\tnote\r\n{A}\tå\r\n", [A], {}, {}, "utf-16"),
    OddList(
        "a line with the separator",
        f"sep=;\r\nphone;note\r\n{A};x\r\nN/A;y\r\n",
        [A],
        {4: "phone: is empty"},
    ),
    OddList("Windows-1252", f"phone;note\n{A};Ä\n", [A], {}, {"encoding": "cp1252"}, "cp1252"),
    OddList("bars", f"phone|note\n{A}|x\n", [A]),
    OddList("old line ends", f"phone,note\r{A},x\rN/A,y\r", [A], {3: "phone: is empty"}),
    OddList("unused columns twice", f"phone,note,note\n{A},a,b\n", [A]),
    # What is not a number
    OddList(
        "names",
        column("Ada", A, "info@example.com", "DROP TABLE x"),
        [A],
        dict.fromkeys((2, 4, 5), "phone: holds letters"),
    ),
    OddList(
        "words for nothing",
        column("N/A", "null", "-", "?", "unknown", A),
        [A],
        dict.fromkeys(range(2, 7), "phone: is empty"),
    ),
    OddList(
        "two numbers",
        column(f"{A} / {B}", f"{A}, {B}", f"{A}\n{B}", "+49 30 1234567/68"),
        [],
        {2: "phone: holds two numbers", 3: "keep one", 4: "two numbers", 6: "two numbers"},
    ),
    OddList(
        "extensions",
        column("+46700000001 ext. 12", "+46700000001x12"),
        [],
        dict.fromkeys((2, 3), "phone: holds an extension"),
    ),
    OddList(
        "letters for digits",
        column("+46 7O0 000 001", "1-800-FLOWERS"),
        [],
        dict.fromkeys((2, 3), "letters"),
    ),
    OddList(
        "no such country",
        column("+999123456789", "+0700000001"),
        [],
        dict.fromkeys((2, 3), "phone: begins with a country code"),
    ),
    OddList(
        "too short, too long",
        column("+4670", "+1234567890123456"),
        [],
        {2: "too short", 3: "too long"},
    ),
    OddList(
        "a plus inside",
        column("0+46700000001", "++46700000001"),
        [],
        dict.fromkeys((2, 3), "a + that is not at"),
    ),
    OddList(
        "stars and signs",
        column("+46700000001*", "46,700,000,001"),
        [],
        dict.fromkeys((2, 3), "characters"),
    ),
    # Columns
    OddList("an opt-in flag called sms", f"phone,name,sms\n{A},Ada,yes\n{B},Bo,no\n", [A, B]),
    OddList("a product called line", f"phone,line\n{A},Shoes\n{B},Shoes\n", [A, B]),
    OddList("one column, two channels", f"phone\n{A}\n", [f"{A} {A}"], {}, BOTH),
    OddList(
        "two columns in order",
        f"wa,phone\n{A},{B}\nN/A,{C}\n-,?\n",
        [f"{A} {B}", C],
        {4: "wa: is empty"},
        {"columns": Columns(to=[("wa", "WHATSAPP"), ("phone", "SMS")])},
    ),
    OddList("capitals", f"Phone\n{A}\n", [A]),
    OddList(
        "identities of other channels",
        "id\n Ab-1 \nab-1\n4.67E+10\n",
        ["Ab-1", "ab-1", "4.67E+10"],
        {},
        {"columns": Columns(to={"id": "messenger"})},
    ),
    # Rows
    OddList("open row", f"phone,name\n{A}\n{B},Bo\n", [B], {2: "1 cell instead of 2"}),
    OddList("long row", f"phone,name\n{A},Ada,x\n{B},Bo\n", [B], {2: "3 cells instead of 2"}),
    OddList(
        "quoted line ends", f'phone,note\n{A},"a\nb"\nAda,"c\nd"\n{B},e\n', [A, B], {4: "letters"}
    ),
    # Objects
    OddList("keys", [{"phone": A}, {"phone": "0046700000001"}], [A], {2: TWICE}),
    OddList(
        "numbers as numbers",
        [{"phone": 46700000001}, {"phone": 46700000002.0}, {"phone": Decimal(46700000003)}],
        [A, B, C],
        {},
        MSISDN,
    ),
    OddList("numbers as numbers, not said", [{"phone": 46700000001}, {"phone": A}], [A], {1: BARE}),
    OddList(
        "rounded numbers",
        [{"phone": 4.67e20}, {"phone": 46700000001.5}, {"phone": -46700000001}],
        [],
        dict.fromkeys((1, 2, 3), EXCEL),
        MSISDN,
    ),
    OddList(
        "missing values",
        [{"phone": None}, {"phone": NAN}, {"phone": Decimal("NaN")}, {"phone": A}],
        [A],
        dict.fromkeys((1, 2, 3), "phone: is empty"),
    ),
    OddList(
        "other kinds",
        [{"phone": True}, {"phone": date(2026, 1, 1)}, {"phone": [A]}, {"phone": b"+467"}],
        [],
        {1: "not bool", 2: "phone: is a date", 3: "not list", 4: "not bytes"},
        MSISDN,
    ),
    OddList(
        "pairs",
        [(Recipient.sms("+46 70 000 00 01"), {}), (Recipient.rcs(A), {}), (Recipient.sms(B), {})],
        [A, B],
        {2: TWICE},
    ),
    OddList(
        "pairs without a plus",
        [(Recipient.sms("46700000001"), {}), Recipient.sms(B)],
        [B],
        {1: "recipient: has no + before a country code"},
    ),
    OddList(
        "pairs without a plus, said so",
        [Recipient.sms("46700000001"), Recipient.whatsapp(A)],
        [A],
        {2: TWICE},
        MSISDN,
    ),
    OddList(
        "the shape of the API",
        [
            {
                "recipient": {
                    "identified_by": {"channel_identities": [{"channel": "SMS", "identity": each}]}
                }
            }
            for each in ("0046700000001", "4.67E+10", A)
        ],
        [A],
        {2: "recipient: was rounded", 3: TWICE},
    ),
]


def sent_by(api: FakeBatchApi) -> list[str]:
    """The identities of each recipient, in the order of sending."""
    found = []
    for body in api.sent:
        for row in body["recipient_and_params"]:
            identities = row["recipient"]["identified_by"]["channel_identities"]
            found.append(" ".join(each["identity"] for each in identities))
    return found


def test_there_are_enough_lists() -> None:
    """Each kind has a list, and no name comes twice."""
    assert len({each.name for each in LISTS}) == len(LISTS) >= 60


@pytest.mark.parametrize("odd", LISTS, ids=lambda odd: odd.name)
@pytest.mark.parametrize("flavour", ["sync"], indirect=True)
def test_odd_lists(make_bulk: MakeBulk, tmp_path: Path, odd: OddList) -> None:
    """What leaves is right, and each row that does not has its line, its column and what to do."""
    if "default_country" in odd.options and number_plans() is None:
        pytest.skip("the extra phone is not installed")
    recipients: Any = odd.content
    if isinstance(odd.content, str):
        recipients = tmp_path / "list.csv"
        recipients.write_bytes(odd.content.encode(odd.encoding))
    api = FakeBatchApi()
    options = {"message": text("Hi"), "on_invalid": "skip", **odd.options}
    report = make_bulk(api).go(recipients, chunk_size=1000, **options)
    assert sorted(odd.sent) == sorted(sent_by(api))
    found = {
        each.line: f"{each.column}: {each.reason}"
        for each in report.recipients("invalid", "duplicate")
    }
    assert found.keys() == odd.refused.keys()
    for line, words in odd.refused.items():
        assert words in found[line]
    quoted = [each for each in found.values() if "467" in each.replace("46701234567", "")]
    assert [] == quoted


ROWS = [
    {"phone": "+46 70 000 00 01", "name": "Åsa"},
    {"phone": "46700000002", "name": "Bo"},
    {"phone": "4.67E+10", "name": "Cy"},
    {"phone": "N/A", "name": "Di"},
    {"phone": "+46700000001", "name": "Eve"},
    {"phone": "0046700000003", "name": ""},
    {"phone": "0046700000003", "name": "Flo"},
]


def _cells() -> list[list[str]]:
    return [["phone", "name"], *([row["phone"], row["name"]] for row in ROWS)]


def _csv(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_text("\n".join(map(";".join, _cells())), encoding="utf-16")
    return path


def _lines(folder: Path) -> Path:
    path = folder / "a.jsonl"
    path.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    return path


def _parquet(folder: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    path = folder / "a.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(ROWS), path)
    return path


def _excel(folder: Path) -> Path:
    pytest.importorskip("python_calamine")
    excel_file(folder / "a.xlsx", _cells())
    return folder / "a.xlsx"


def _rows(_folder: Path) -> list[dict[str, str]]:
    return ROWS


SOURCES: list[Callable[[Path], object]] = [_csv, _lines, _parquet, _excel, _rows]


@pytest.mark.parametrize("options", [{}, MSISDN], ids=["e164", "msisdn"])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("flavour", ["sync"], indirect=True)
def test_every_source_gives_the_same_recipients(
    make_bulk: MakeBulk, tmp_path: Path, source: Callable[[Path], Any], options: dict[str, Any]
) -> None:
    """CSV, JSON lines, Parquet, Excel and iterables: the same is sent, and the same refused."""
    api = FakeBatchApi()
    report = make_bulk(api).go(source(tmp_path), on_invalid="skip", chunk_size=9, **options)
    expected = [A, B, C] if options else [A, C]
    assert expected == sent_by(api)
    assert [
        row["name"] for row in ROWS if row["name"] in {"Åsa", "Flo", *(["Bo"] if options else [])}
    ] == [row["parameters"]["name"] for row in api.sent[0]["recipient_and_params"]]
    assert (1, 3 if options else 4) == (report.duplicates, report.invalid)


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (f"sms,name\n{A},Ada\n", {}, r'no column identifies.*to=\[\("sms", "SMS"\)\]'),
        (f"sms,Mobile no\nyes,{A}\n", {}, r'no column identifies.*to=\[\("Mobile no", "SMS"\)\]'),
        (f"phone,number\n{A},{B}\n", {}, "several columns may hold the numbers"),
        (f"phone,phone\n{A},{B}\n", {}, "duplicate column names 'phone'"),
        (
            f"phone,name\n{A},Ada\n",
            {"message": text("Hi {name}")},
            r"\{name\} in the message is not",
        ),
        (
            f"phone,First Name\n{A},Ada\n",
            {"message": text("Hi [first_name]")},
            "is not a placeholder",
        ),
        (
            f"phone,name\n{A},Ada\n",
            {"message": text("Hi"), "defaults": {"name": "x"}},
            "defaults= must name",
        ),
        (f"phone\n{A}\n", {"default_country": "XX"}, "default_country= must be the two letters"),
        (f"phone\n{A}\n", {"default_country": "SE", "numbers": "as-given"}, "give one of them"),
        (f"phone\n{A}\n", {"delimiter": "ab"}, "delimiter= must be one character"),
        (f"phone\n{A}\n", {"encoding": "utf-99"}, "encoding= must be the name"),
    ],
)
@pytest.mark.parametrize("flavour", ["sync"], indirect=True)
def test_nothing_is_guessed(
    make_bulk: MakeBulk, tmp_path: Path, content: str, options: dict[str, Any], words: str
) -> None:
    """What may be meant in two ways is refused before anything is sent, and says what to write."""
    if "default_country" in options and number_plans() is None:
        pytest.skip("the extra phone is not installed")
    path, api = tmp_path / "a.csv", FakeBatchApi()
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BulkError, match=words):
        make_bulk(api).go(path, **{"message": text("Hi"), **options})
    assert [] == api.sent


@pytest.mark.parametrize(
    "to",
    [
        {"phone": "SMSS"},
        [("phone", "whatsap")],
        [("phone",)],
        ["phone"],
        [("phone", 1)],
        [("phone", "SMS"), ("phone", "sms")],
        {"phone": ["SMS"]},
        "phone=SMS",
        5,
    ],
)
def test_columns_are_pairs_with_channels(to: Any) -> None:
    """A slip in a channel, or another shape, is named before anything is read."""
    with pytest.raises((BulkError, TypeError), match="to= must be"):
        Columns(to=to)


@pytest.mark.parametrize("flavour", ["sync"], indirect=True)
def test_defaults_fill_what_is_empty(make_bulk: MakeBulk, tmp_path: Path) -> None:
    """Empty, blank, missing: the default is sent, in tables, objects and pairs; no other value."""
    path = tmp_path / "a.csv"
    path.write_text(f"phone,name\n{A},\n{B}, \n{C},Cy\n", encoding="utf-8")
    rows = [{"phone": A}, {"phone": B, "name": None}, (Recipient.sms(C), {"name": "Cy"})]
    for source in (path, rows):
        api = FakeBatchApi()
        make_bulk(api).go(source, defaults={"name": "there"}, chunk_size=9)
        found = [row["parameters"]["name"] for row in api.sent[0]["recipient_and_params"]]
        assert ["there", "there", "Cy"] == found


@pytest.mark.parametrize("flavour", ["sync"], indirect=True)
def test_templates_of_whatsapp_take_one_line(make_bulk: MakeBulk) -> None:
    """Line breaks, tabs, many blanks and blanks alone are refused there, and nowhere else."""
    values = ["Ada", "a\nb", "a\tb", "a     b", " "]
    message = template(
        channel={"WHATSAPP": template_reference("t", version="1", parameters={"b": "${name}"})}
    )
    for channel, count in (("WHATSAPP", 1), ("SMS", 5)):
        rows = [
            (Recipient.on(channel, f"+4670000000{n}"), {"name": value})
            for n, value in enumerate(values)
        ]
        flat = [{"phone": f"+4670000000{n}", "name": value} for n, value in enumerate(values)]
        for source in (rows, flat):
            report = make_bulk(FakeBatchApi()).go(
                source, message=message, on_invalid="skip", columns=Columns(to={"phone": channel})
            )
            assert count == report.accepted


@pytest.mark.parametrize("flavour", ["sync"], indirect=True)
def test_a_list_of_repetitions_is_warned_about(make_bulk: MakeBulk) -> None:
    """A hundred rows with one address are hardly what was meant."""
    report = make_bulk(FakeBatchApi()).go([{"phone": A, "name": "x"}] * 100)
    assert (1, 99) == (report.accepted, report.duplicates)
    assert any("99 of 100 rows repeat a recipient" in each for each in report.warnings)


@pytest.mark.parametrize("flavour", ["sync"], indirect=True)
def test_values_of_other_libraries(make_bulk: MakeBulk) -> None:
    """Numbers and strings of numpy, NA of pandas: taken, or refused with the row."""

    class NAType:
        __module__ = "pandas._libs.missing"

        def __bool__(self) -> bool:
            message = "boolean value of NA is ambiguous"
            raise TypeError(message)

    class Text(str):
        __slots__ = ()

    api = FakeBatchApi()
    report = make_bulk(api).go(
        [{"phone": Text(A), "name": Text("Ada")}, {"phone": NAType(), "name": "x"},
         {"phone": B, "name": NAType()}, {"phone": C, "name": 7}],
        on_invalid="skip",
    )  # fmt: skip
    assert [A] == sent_by(api)
    reasons = {each.line: each.reason for each in report.recipients("invalid")}
    assert {2, 3, 4} == reasons.keys()
    assert ("is empty" in reasons[2], "is empty" in reasons[3], "string" in reasons[4]) == (
        True,
    ) * 3
