"""Those who opted out, from a file with one number per line, into the consent list of an app.

python examples/consents_upload.py stop.txt
"""

import os
import sys
from pathlib import Path

from sinch_wrapper import Sinch


def main(path: str) -> int:
    """Insert them; to do so twice is harmless."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    records = [
        {"identification": line.strip().removeprefix("+"), "consent_type": "OPT_OUT_ALL"}
        for line in lines
        if line.strip()
    ]
    with Sinch() as sinch:
        report = sinch.bulk.insert_consents(records, app_id=os.environ["SINCH_APP_ID"])
    print(f"{report.accepted} inserted, {report.rejected} rejected, {report.unknown} unknown")
    return 0 if report.accepted == report.total else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
