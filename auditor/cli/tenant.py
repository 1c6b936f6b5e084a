"""The tenant that a command is about: a live one, a snapshot file, standard input or a sample."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from auditor.cli.bundled import bundled
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot


def refuse_two_tenants(snapshot: str | None, sample: str | None) -> None:
    """Raise click.UsageError where both a snapshot and a sample are named."""
    if snapshot and sample:
        raise click.UsageError("--snapshot and --sample exclude each other: leave one of them out")


def read_tenant(
    packs: Sequence[Pack],
    snapshot: str | None,
    sample: str | None,
    user: str,
    named_tenant: str,
    tenant: dict[str, Any],
) -> tuple[Snapshot, str]:
    """The snapshot, and where it came from, in words for the report."""
    if sample:
        return bundled(sample), f"sample {sample} (bundled, no real tenant)"
    if snapshot:
        from auditor.snapshot.read import load, loads

        if snapshot == "-":
            return loads(sys.stdin.buffer.read(), "standard input"), "snapshot from standard input"
        return load(snapshot), f"snapshot {snapshot}"
    from auditor.checks.reads import plan_for
    from auditor.cli.live import read_live, target_for

    if not tenant["tenant"] and named_tenant:
        tenant = {**tenant, "tenant": named_tenant}
    apps = [pack.app for pack in packs if pack.app is not None]
    return read_live(target_for(**tenant), plan_for(packs), apps, packs, user), "live, read through Microsoft Graph"
