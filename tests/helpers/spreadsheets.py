"""Excel files as small as they can be, for tests."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = (
    f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships'
    '+xml"/><Default Extension="xml" ContentType="application/xml"/><Override '
    'PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'spreadsheetml.sheet.main+xml"/></Types>'
)


def excel_file(path: Path, *sheets: Sequence[Sequence[str | float]], more: str = "") -> None:
    """Write *sheets* of strings and numbers; *more* is XML of rows at the end of each."""
    names = range(1, len(sheets) + 1)
    book = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="rId{n}"/>' for n in names)
    targets = [(f"{_OFFICE}/worksheet", f"worksheets/sheet{n}.xml") for n in names]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("_rels/.rels", _links([(f"{_OFFICE}/officeDocument", "xl/workbook.xml")]))
        spaces = f'xmlns="{_MAIN}" xmlns:r="{_OFFICE}"'
        archive.writestr(
            "xl/workbook.xml", f"{_HEAD}<workbook {spaces}><sheets>{book}</sheets></workbook>"
        )
        archive.writestr("xl/_rels/workbook.xml.rels", _links(targets))
        for number, rows in enumerate(sheets, 1):
            content = "".join(_row(at, cells) for at, cells in enumerate(rows, 1)) + more
            data = f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{content}</sheetData></worksheet>'
            archive.writestr(f"xl/worksheets/sheet{number}.xml", data)


def _links(targets: list[tuple[str, str]]) -> str:
    found = "".join(
        f'<Relationship Id="rId{n}" Type="{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{found}</Relationships>'


def _row(number: int, cells: Sequence[str | float]) -> str:
    found = "".join(_cell(number, at, cell) for at, cell in enumerate(cells))
    return f'<row r="{number}">{found}</row>'


def _cell(row: int, at: int, value: str | float) -> str:
    place = f"{chr(65 + at)}{row}"
    if isinstance(value, str):
        text = value.replace("&", "&amp;").replace("<", "&lt;")
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'
