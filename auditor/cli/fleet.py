"""``fleet``: the commands about the tenants of many customers, each in its own file."""

from __future__ import annotations

import click

from auditor.cli.program import LazyGroup


class FleetCommands(LazyGroup):
    """The commands below ``fleet``."""

    modules = {
        "enqueue": ("fleet_enqueue", "Put the tenants into the queue, from which workers take them"),
        "tenants": ("fleet_tenants", "List the tenants: last run, answers, when they are due again, and the queue"),
        "report": ("fleet_report", "Report in which tenants users can't connect, why, and what to send to whom"),
        "worker": ("fleet_worker", "Audit tenants from the queue, on as many machines as you like"),
        "forget": ("fleet_forget", "Remove everything about a tenant, and prove that nothing is left"),
        "init": ("fleet_init", "Write what to register once for all customers, and a configuration"),
        "onboard": ("fleet_onboard", "Show which customers have consented; links and messages for the others"),
    }


@click.group(
    "fleet",
    cls=FleetCommands,
    epilog="""\b
Examples:
  consent-auditor fleet init --pack trackerrms-uk -o fleet/
  consent-auditor fleet onboard
  consent-auditor fleet report -o fleet.html""",
)
def command() -> None:
    """Audit the tenants of many customers with one app registration, to which each customer consents."""
