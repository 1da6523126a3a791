"""CPU time and memory of importing and of making a client, over those of a bare Python."""

import statistics
import subprocess
from dataclasses import dataclass
from typing import Final

from benchmarks._environments import Environments, clean_variables
from benchmarks._plan import Plan
from benchmarks._report import Report, Target
from benchmarks._service import Service

__all__ = ["measure"]

_OPTIONS: Final = "project_id='p', key_id='k', key_secret='s'"
_OFFICIAL: Final = f"client = SinchClient({_OPTIONS}, conversation_region='eu')"
_WRAPPER: Final = {
    "import sinch_wrapper": "import sinch_wrapper",
    "from sinch_wrapper import Sinch": "from sinch_wrapper import Sinch",
    "wrapper: a client": (
        f"from sinch_wrapper import Sinch; client = Sinch({_OPTIONS}, region='eu')"
    ),
    "wrapper: a first message": (
        "from sinch_wrapper import Endpoints, Recipient, Sinch, text; "
        f"client = Sinch({_OPTIONS}, endpoints=Endpoints.sandbox('URL')); "
        "client.send(app_id='a', to=Recipient.sms('+46700000001'), message=text('Hi'))"
    ),
}
_CODES: Final = {
    "base": {"import httpx, attrs": "import httpx, attrs", **_WRAPPER},
    "fast": {"import httpx2, attrs": "import httpx2, attrs", **_WRAPPER},
    "sinch": {
        "from sinch import SinchClient": "from sinch import SinchClient",
        "sinch: a client": f"from sinch import SinchClient; {_OFFICIAL}",
        "sinch: a first message": (
            f"from sinch import SinchClient; {_OFFICIAL}; "
            "client.configuration.auth_origin = 'URL/auth'; "
            "client.configuration.conversation_origin = 'URL/conversation'; "
            "client.conversation.messages.send_text_message(app_id='a', text='Hi', "
            "recipient_identities=[{'channel': 'SMS', 'identity': '+46700000001'}])"
        ),
    },
}
_BARE: Final = ""
# Printed by the process itself: what its parent sees counts the parent's memory too.
_STATUS: Final = """
import time
cpu = time.process_time() * 1000
with open('/proc/self/status') as status:
    memory = next(int(line.split()[1]) / 1024 for line in status if line.startswith('VmRSS'))
print(cpu, memory)
"""
_SHARE: Final = 1.35
_MEMORY: Final = 25.0


@dataclass(frozen=True, slots=True)
class _Cost:
    """Milliseconds of CPU time and MiB of memory."""

    cpu: float
    memory: float


def measure(environments: Environments, plan: Plan) -> Report:
    """Measure every import in every environment, each in a fresh interpreter."""
    report = Report(
        "Importing, over a bare Python",
        ("environment: code", "CPU ms", "MiB", "of importing HTTP and attrs"),
    )
    with Service() as service:
        found = _in_turns(environments, plan, service.url)
    for name, codes in _CODES.items():
        if (name, _BARE) in found:
            costs = {code: _over(found[name, code], found[name, _BARE]) for code in codes}
            _add(report, name, costs)
    return report


def _in_turns(
    environments: Environments, plan: Plan, url: str
) -> dict[tuple[str, str], list[_Cost]]:
    found: dict[tuple[str, str], list[_Cost]] = {}
    # The first round writes the compiled modules; where figures count, it is thrown away.
    discarded = 0 if plan.rounds == 1 else 1
    for number in range(discarded + 2 * plan.rounds):
        for name, codes in _CODES.items():
            python = environments.python(name)
            for title, code in {_BARE: _BARE, **codes}.items() if python else ():
                cost = _cost(python or "", code.replace("URL", url))
                if number >= discarded:
                    found.setdefault((name, title), []).append(cost)
    return found


def _cost(python: str, code: str) -> _Cost:
    ran = subprocess.run(
        [python, "-I", "-c", code + _STATUS],
        env=clean_variables(),
        check=True,
        capture_output=True,
        text=True,
    )
    cpu, memory = map(float, ran.stdout.split())
    return _Cost(cpu, memory)


def _over(costs: list[_Cost], bare: list[_Cost]) -> _Cost:
    return _Cost(
        statistics.median(cost.cpu for cost in costs) - statistics.median(b.cpu for b in bare),
        statistics.median(cost.memory for cost in costs)
        - statistics.median(b.memory for b in bare),
    )


def _add(report: Report, environment: str, costs: dict[str, _Cost]) -> None:
    baseline = next((cost for code, cost in costs.items() if code.endswith("attrs")), None)
    for code, cost in costs.items():
        share = f"{cost.cpu / baseline.cpu:.2f}" if baseline else ""
        report.rows.append(
            (f"{environment}: {code}", f"{cost.cpu:.0f}", f"{cost.memory:+.1f}", share)
        )
    if baseline is None:
        return
    for code in ("import sinch_wrapper", "from sinch_wrapper import Sinch"):
        text = f"CPU over importing HTTP and attrs, {environment}: {code}"
        report.targets.append(Target(text, costs[code].cpu / baseline.cpu, _SHARE))
    text = f"MiB over a bare Python, {environment}: a client"
    report.targets.append(Target(text, costs["wrapper: a client"].memory, _MEMORY))
