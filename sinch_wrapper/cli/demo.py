"""The command that shows everything at work, without an account."""

# ruff: noqa: FBT001 (click passes each option as an argument)

import dataclasses
import json
from typing import TYPE_CHECKING

import click

from sinch_wrapper.cli.options import as_json

if TYPE_CHECKING:
    from sinch_wrapper.cli.demo_data import Summary

__all__ = ["demo", "fault"]

_PATIENCE = 120.0


@click.command()
@as_json
def demo(as_json: bool) -> None:
    """Show it all at work: no account, no network, nothing left behind.

    Starts a sandbox and a callback receiver on this machine, sends one message and a bulk job of
    2,500 rows with faults switched on, receives the signed callbacks, and accounts for every row.
    """
    from sinch_wrapper.cli.demo_data import expected
    from sinch_wrapper.cli.demo_run import run_demo
    from sinch_wrapper.cli.demo_views import view_for

    with view_for(as_json=as_json) as view:
        result = run_demo(view, patience=_PATIENCE)
        view.result(result)
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(result)))
    said = fault(result.summary, expected())
    if said:
        raise click.ClickException(said)


def fault(summary: "Summary", expected: "Summary") -> str:
    """Say what is wrong with *summary*, or nothing."""
    if summary.total != expected.total:
        return f"the counts do not add up to {expected.total}"
    if summary.open:
        return f"{summary.open} of them were not accounted for within {_PATIENCE:g} s"
    if summary != expected:
        return "the recipients did not end as the demo had planned"
    return ""
