"""Find out why the users of a Microsoft 365 tenant can or can't connect an app, and what to change.

The public names for scripts and notebooks; each is imported when it is first used::

    import auditor

    snapshot = auditor.load_snapshot("tenant.json")          # or auditor.sample("managed-default")
    packs = auditor.load_packs(["trackerrms-uk"])
    report = auditor.check(snapshot, packs)
    print(auditor.render_report(report, "text").decode())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from auditor.consent.decide import decide as decide
    from auditor.jobs.audit import check as check
    from auditor.jobs.tenant_reader import read_tenant as read_tenant
    from auditor.packs.abused_apps import load_abused_files as load_abused_apps
    from auditor.packs.load import load_packs as load_packs
    from auditor.packs.waiver_files import load_waiver_files as load_waivers
    from auditor.render import render as render_report
    from auditor.snapshot.read import load as load_snapshot
    from auditor.snapshot.samples import sample as sample
    from auditor.snapshot.write import save as save_snapshot

_PUBLIC = {
    "check": ("auditor.jobs.audit", "check"),
    "decide": ("auditor.consent.decide", "decide"),
    "load_packs": ("auditor.packs.load", "load_packs"),
    "load_abused_apps": ("auditor.packs.abused_apps", "load_abused_files"),
    "load_waivers": ("auditor.packs.waiver_files", "load_waiver_files"),
    "load_snapshot": ("auditor.snapshot.read", "load"),
    "read_tenant": ("auditor.jobs.tenant_reader", "read_tenant"),
    "render_report": ("auditor.render", "render"),
    "sample": ("auditor.snapshot.samples", "sample"),
    "save_snapshot": ("auditor.snapshot.write", "save"),
}
"""The module and the attribute behind each public name. These names stay; everything else can move."""

__all__ = [
    "check",
    "decide",
    "load_abused_apps",
    "load_packs",
    "load_snapshot",
    "load_waivers",
    "read_tenant",
    "render_report",
    "sample",
    "save_snapshot",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
