"""The reports that are looked at in the browser: sample tenants, and tenants that mean harm."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import auditor
from auditor.model.report import Report
from auditor.render.html import render
from auditor.render.html.grant_section import ON_SCREEN
from tests.render.pages import grants
from tests.render.reports import ALL

_EVERY_PACK = ("cisa-scuba", "grants-hygiene", "eidsca", "cis-m365", "zero-trust-assessment")

_SAMPLES = {
    "managed-default": ("trackerrms-uk",),
    "low-classified": ("trackerrms-uk",),
    "unreadable-policies": ("trackerrms-uk", "trackerrms-us"),
    "custom-policy": _EVERY_PACK,
}


def _checked(name: str) -> Callable[[], Report]:
    return lambda: auditor.check(auditor.sample(name), auditor.load_packs(_SAMPLES[name]))


REPORTS: dict[str, Callable[[], Report]] = {name: _checked(name) for name in _SAMPLES} | {
    f"made by hand: {name}": ALL[name] for name in ("several", "hostile", "wide", "empty", "depends")
}
REPORTS["more grants than the table holds"] = lambda: grants(ON_SCREEN + 20)


@cache
def html(name: str) -> str:
    """The report of this name as a page."""
    return render(REPORTS[name]())
