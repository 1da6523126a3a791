"""The whole way: a person writes STOP, the receiver hears it, and a job leaves them out."""

from pathlib import Path

from sinch_wrapper import text
from sinch_wrapper.bulk import OptOutFollower, SuppressionList
from sinch_wrapper.callbacks import receiver
from sinch_wrapper.testing import Sandbox

SECRET = "sandbox-webhook-secret"
PEOPLE = [{"phone": f"+4670000000{number}", "name": "Ada"} for number in range(6)]


def test_opt_outs_and_opt_ins_go_all_the_way(sinch_sandbox: Sandbox, tmp_path: Path) -> None:
    """By words and by consents, both ways; what is doubtful changes nothing."""
    path = tmp_path / "stop.db"
    app = receiver(SECRET, store=tmp_path / "callbacks.db", suppression=OptOutFollower(path))
    sinch_sandbox.webhook_to(app, "MESSAGE_INBOUND", "OPT_OUT", "OPT_IN")
    sinch_sandbox.say(from_="46700000000", text="Stop!")
    sinch_sandbox.opt_out("+46700000001")
    sinch_sandbox.opt_out("+46700000002")
    sinch_sandbox.say(from_="46700000003", text="please stop")
    with SuppressionList(path) as found:
        sinch_sandbox.eventually(lambda: found.count() == 3 and len(found.doubtful()) == 1)
        sinch_sandbox.opt_in("+46700000002")
        sinch_sandbox.eventually(lambda: found.count() == 2)
    report = sinch_sandbox.client().bulk.send(
        app_id=sinch_sandbox.app_id, message=text("Hi ${name}"), recipients=PEOPLE, exclude=path
    )
    assert (4, 2) == (report.accepted, report.suppressed)
    sent = {each.identity.lstrip("+") for each in sinch_sandbox.received()}
    assert {"46700000002", "46700000003", "46700000004", "46700000005"} == sent
