"""A list from Excel: look at what is going to be sent, then send it, then say what became of it.

python examples/bulk_from_excel.py customers.xlsx        # a preview; nothing is sent
python examples/bulk_from_excel.py customers.xlsx send   # the same command goes on after a crash

The first sheet has the columns customer, phone and name; numbers must be cells of text.
"""

import os
import sys
from pathlib import Path

from sinch_wrapper import Sinch, text
from sinch_wrapper.bulk import Columns, Preview

MESSAGE = text("Hi ${name}, the spring menu is here")


def show(preview: Preview) -> None:
    """What would be sent, and what is wrong."""
    print(f"{preview.total} to send, {preview.invalid} invalid, {preview.duplicates} duplicates")
    for problem in preview.problems:
        print(f"  {problem}")
    print(f"{preview.parts} parts of SMS, delivered in {preview.to_deliver / 60:.0f} minutes")


def main(path: str, action: str = "preview") -> int:
    """Preview or send; the exit code is 0 when everybody's message was accepted."""
    app_id, source = os.environ["SINCH_APP_ID"], Path(path)
    columns = Columns(key="customer")
    with Sinch() as sinch:
        if action != "send":
            preview = sinch.bulk.preview(
                app_id=app_id, message=MESSAGE, recipients=source, columns=columns
            )
            show(preview)
            return 0
        report = sinch.bulk.send(
            app_id=app_id,
            message=MESSAGE,
            recipients=source,
            columns=columns,
            job=source.with_suffix(".db"),
            on_invalid="skip",
        )
    print(f"{report.accepted} accepted, {report.rejected} rejected, {report.unknown} unknown")
    for recipient in report.recipients("invalid", "rejected"):
        print(f"  {recipient.key}: {recipient.reason}")
    return 0 if report.accepted == report.total else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
