"""The programs of examples/: each runs against the sandbox, and does what it says."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from sinch_wrapper import cluster
from sinch_wrapper._http import httpx
from sinch_wrapper.sandbox import BackgroundServer
from sinch_wrapper.testing import Sandbox
from tests.helpers.postgres import job_in

EXAMPLES = Path(__file__).parents[2] / "examples"
SECRET = "webhook-secret"
pytestmark = pytest.mark.usefixtures("environment")


def program(name: str) -> dict[str, Any]:
    """What an example defines."""
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


def accepted(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Channel and text of all that the API accepted."""
    return [(each.channel, each.text) for each in sandbox.received()]


def workbook(path: Path, rows: list[list[str]]) -> Path:
    """An Excel file with one sheet of text."""
    cells = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>"
        for row in rows
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def link(name: str, kind: str, target: str) -> str:
        to = f'<Relationship Id="{name}" Type="{office}/{kind}" Target="{target}"/>'
        return f'<Relationships xmlns="{package}/relationships">{to}</Relationships>'

    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": link("r", "officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet '
        'name="1" sheetId="1" r:id="s"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": link("s", "worksheet", "worksheets/1.xml"),
        "xl/worksheets/1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData>'
        "</worksheet>",
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


def test_the_page_lists_every_example() -> None:
    """examples/README.md has a row for each program, and there are twelve."""
    rows = re.findall(
        r"^\| \[(\w+\.py)\]\(\1\)", (EXAMPLES / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert (12, sorted(rows)) == (len(rows), sorted(path.name for path in EXAMPLES.glob("*.py")))


def test_one_off_goes_on_to_sms(sinch_sandbox: Sandbox) -> None:
    """A person whom WhatsApp does not reach gets an SMS."""
    assert 0 == program("one_off_with_fallback")["main"]("+46700000777")
    sinch_sandbox.eventually(lambda: accepted(sinch_sandbox) == [("SMS", "Your table is ready")])


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("Messages_SendMessage:drop:#1", 3, "unknown"),
        ("Messages_SendMessage:reset-before:#1", 3, "unknown"),
        ("Messages_SendMessage:400:#1", 1, ""),
    ],
)
def test_one_off_says_what_nobody_knows(
    sinch_sandbox: Sandbox, capsys: pytest.CaptureFixture[str], fault: str, code: int, words: str
) -> None:
    """A lost response is exit code 3, a refusal 1; neither is sent again."""
    sinch_sandbox.fault(fault)
    assert code == program("one_off_with_fallback")["main"]("+46700000001")
    assert capsys.readouterr().out.startswith(words)


def test_template_and_carousel(sinch_sandbox: Sandbox) -> None:
    """Both are accepted on their channel."""
    assert 0 == program("whatsapp_template")["main"]("+46700000001", "Ada")
    assert 0 == program("rcs_carousel")["main"]("+46700000002")
    assert ["WHATSAPP", "RCS"] == [channel for channel, _ in accepted(sinch_sandbox)]


def test_whoever_writes_gets_an_answer(sinch_sandbox: Sandbox) -> None:
    """The answer goes to the number and channel of the message that came in."""
    example = program("inbound_auto_reply")
    sinch_sandbox.webhook_to(example["app"], "MESSAGE_INBOUND", secret=SECRET)
    sinch_sandbox.say(from_="+46700000001", text="Are you open?", channel="WHATSAPP")
    answer = ("WHATSAPP", "Thank you! We open at nine.")
    sinch_sandbox.eventually(lambda: accepted(sinch_sandbox) == [answer])
    sinch_sandbox.close()
    example["sinch"].close()


def test_excel_is_shown_then_sent(
    sinch_sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A preview sends nothing; sending names the row it leaves out; again changes nothing."""
    rows = [
        ["customer", "phone", "name"],
        ["C1", "+46700000001", "Ada"],
        ["C2", "4.67E+10", "Bo"],
    ]
    source = str(workbook(tmp_path / "customers.xlsx", rows))
    main = program("bulk_from_excel")["main"]
    assert (0, []) == (main(source), sinch_sandbox.received())
    assert capsys.readouterr().out.startswith("1 to send, 1 invalid, 0 duplicates")
    assert [0, 0] == [main(source, "send"), main(source, "send")]
    assert [("SMS", "Hi Ada, the spring menu is here")] == accepted(sinch_sandbox)
    assert "C2: " in capsys.readouterr().out


def test_a_schedule_is_withdrawn(
    sinch_sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was scheduled is cancelled as a whole."""
    example = program("scheduled_and_cancelled")
    example["schedule"]("invitation.db", ["+46700000001", "+46700000002"])
    example["cancel"]("invitation.db")
    assert ["CANCELLED"] * 2 == [each.outcome for each in sinch_sandbox.received()]
    assert capsys.readouterr().out.endswith("cancelled: 2 recipients; too late: 0 batches\n")


def test_contacts_follow_the_list(
    sinch_sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """New customers are made, changed ones updated, the others left alone."""
    main, source = program("contacts_sync")["main"], tmp_path / "customers.csv"
    source.write_text("customer,phone,name\nC1,+46700000001,Ada\nC2,+46700000002,Bo\n")
    assert 0 == main(str(source))
    with sinch_sandbox.client() as sinch:
        sinch_sandbox.eventually(lambda: len(list(sinch.conversation.contact.list_contacts())) == 2)
    source.write_text("customer,phone,name\nC1,+46700000001,Ada\nC2,+46700000002,Bob\n")
    assert 0 == main(str(source))
    expected = "2 made, 0 changed, 0 as they were\n0 made, 1 changed, 1 as they were\n"
    assert expected == capsys.readouterr().out


def test_consents_are_inserted(sinch_sandbox: Sandbox, tmp_path: Path) -> None:
    """A person on the list gets nothing any more."""
    (tmp_path / "stop.txt").write_text("+46700000001\n\n")
    assert 0 == program("consents_upload")["main"]("stop.txt")
    assert 0 == program("one_off_with_fallback")["main"]("+46700000001")
    sinch_sandbox.eventually(lambda: sinch_sandbox.received()[0].outcome == "FAILED")


def test_an_order_is_written_about_once(sinch_sandbox: Sandbox) -> None:
    """The same order twice is one message and one answer."""
    with TestClient(program("outbox_in_a_web_shop")["shop"]) as shop:
        answers = [shop.post("/orders/17/shipped", json={"phone": "+46700000001"}) for _ in "12"]
    assert answers[0].json() == answers[1].json()
    assert [("SMS", "Order 17 has left")] == accepted(sinch_sandbox)


def test_fastapi_sends_and_hears(sinch_sandbox: Sandbox) -> None:
    """A reminder is accepted, and its state is that of its receipts; a wrong number is refused."""
    api = program("fastapi_with_callbacks")["api"]
    with BackgroundServer(api) as server, httpx.Client(base_url=server.url) as browser:
        sinch_sandbox.webhook_to(f"{server.url}/sinch/", "MESSAGE_DELIVERY", secret=SECRET)
        wrong = browser.post("/reminders", json={"phone": "070", "words": "At nine"})
        sent = browser.post("/reminders", json={"phone": "+46700000001", "words": "At nine"})
        path = f"/reminders/{sent.json()['id']}"
        sinch_sandbox.eventually(lambda: browser.get(path).json()["state"] == "delivered")
    assert (422, 202) == (wrong.status_code, sent.status_code)


def test_django_stores_once(environment: dict[str, str], tmp_path: Path) -> None:
    """A signed callback is new, then known; without a signature it is refused."""
    body = '{"message_delivery_report": {"message_id": "M", "status": "DELIVERED"}}'
    client = f"""
import runpy, sys, time
from django.conf import settings
settings.configure(ROOT_URLCONF="urls", ALLOWED_HOSTS=["testserver"])
urls = runpy.run_path({str(EXAMPLES / "django_receiver.py")!r})
sys.modules["urls"] = type(sys)("urls")
sys.modules["urls"].urlpatterns = urls["urlpatterns"]
import django
django.setup()
from django.test import Client
from sinch_wrapper.callbacks import sign
body = {body!r}.encode()
headers = sign(body, {SECRET!r}, nonce="n", timestamp=str(int(time.time())))
for each in (headers, headers, {{}}):
    answer = Client().post("/sinch/", body, content_type="application/json", headers=each)
    print(answer.status_code, answer.content.decode())
urls["store"].close()
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", client],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ("200 new\n200 known\n401 \n", "") == (done.stdout, done.stderr)


def test_workers_share_the_list(sinch_sandbox: Sandbox, database: str, tmp_path: Path) -> None:
    """Each number is written to once, by one of two workers."""
    numbers = [f"+467000000{n:02}" for n in range(20)]
    (tmp_path / "numbers.txt").write_text("\n".join(numbers))
    example, job, stop = program("many_workers"), job_in(database, "reminder"), threading.Event()
    cluster.prepare(job)
    workers = [threading.Thread(target=example["work"], args=(job, stop)) for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        assert 0 == example["send"](job, "numbers.txt")
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert numbers == sorted(each.identity for each in sinch_sandbox.received())
