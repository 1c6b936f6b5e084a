"""The live side of ``check``, ``collect`` and ``doctor``: imports Microsoft's libraries only when called."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from auditor.model.app import App
from auditor.model.read_plan import Plan
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot

if TYPE_CHECKING:
    from auditor.jobs.live import Target


def target_for(
    *, auth: str, tenant: str | None, cloud: str, authority_host: str | None, graph_endpoint: str | None, timeout: float
) -> Target:
    """Where to read, from the command line's options."""
    from auditor.graph.session import endpoints
    from auditor.jobs.live import Target

    # Microsoft's libraries log each refusal, with the answer in it. What matters of it comes as our one message.
    logging.getLogger().addHandler(logging.NullHandler())
    at = endpoints(cloud, authority_host or "", graph_endpoint or "", os.environ)
    return Target(at=at, tenant=tenant or "", auth=auth, timeout=timeout, prompt=_show_code)


def read_live(target: Target, plan: Plan, apps: Iterable[App], packs: Iterable[Pack] = (), user: str = "") -> Snapshot:
    """The snapshot of a live tenant, with progress on a terminal."""
    from auditor.cli.progress import shown_progress
    from auditor.jobs.live import read_tenant

    with shown_progress() as progress:
        return read_tenant(target, plan, apps=apps, packs=packs, user=user, progress=progress)


def _show_code(address: str, code: str, until: datetime) -> None:
    """Tell an admin at a desk where to sign in; on stderr, so that a report on stdout stays clean."""
    minutes = max(1, round((until - datetime.now(until.tzinfo)).total_seconds() / 60))
    click.echo(f"To sign in, open {address} and enter {code} (within {minutes} minutes).", err=True)
    sys.stderr.flush()
