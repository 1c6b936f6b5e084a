"""Select the fix of a report that is written as a script for an administrator."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from auditor.fixes.script import NoScript, script
from auditor.jobs.snapshot_files import NAME_THE_TENANT
from auditor.model.decision import Fix
from auditor.model.errors import InvalidRequest
from auditor.model.report import Report
from auditor.render.fix_view import FixNumbers

_NUMBER = re.compile(r"(?:fix[ -]?)?(\d+)", re.IGNORECASE)
"""``2`` and, as the report prints it, ``Fix 2``."""


class FixScript(NamedTuple):
    """The text of a script, and the number and title of its fix."""

    number: int
    title: str
    text: str


class _Numbered(NamedTuple):
    """A fix with its number in the report."""

    number: int
    fix: Fix

    @property
    def line(self) -> str:
        """``Fix 2 (R3): …``; a fix that is a link says so."""
        link = "" if self.fix.steps.graph else " (a link to open, not a script)"
        return f"  Fix {self.number} ({self.fix.key or self.fix.route}): {self.fix.title.rstrip('.')}{link}"


def fix_script(report: Report, shell: str, which: str = "") -> FixScript:
    """The script of the fix `which`: its number in the report (``2``), its key or its route. The default is fix 1.

    `shell` is ``powershell`` or ``az``. Raises InvalidRequest if the report has no such fix, if several have the same
    key or route, or if the fix can't be written as a script.
    """
    fixes = [_Numbered(number, fix) for number, fix in FixNumbers(report).all]
    if not fixes:
        raise InvalidRequest("there is nothing to fix: users can connect, or no change is proven to help")
    if not report.tenant.id:
        raise InvalidRequest(f"a script must check the tenant, but the files don't name it. {NAME_THE_TENANT}")
    number, fix = _chosen(fixes, which)
    try:
        return FixScript(number, fix.title, script(fix, shell, tenant=report.tenant.id))
    except NoScript as error:
        raise InvalidRequest(f"fix {number} can't be written as a script: {error}.\n{_choice(fixes)}") from error


def _chosen(fixes: list[_Numbered], which: str) -> _Numbered:
    name = which.strip().lower() or "1"
    if number := _NUMBER.fullmatch(name):
        chosen = [one for one in fixes if one.number == int(number[1])]
    else:
        chosen = [one for one in fixes if one.fix.key.lower() == name] or [
            one for one in fixes if one.fix.route.lower() == name
        ]
    if not chosen:
        raise InvalidRequest(f"the report has no fix {which!r}. {_choice(fixes)}")
    if len(chosen) > 1:
        raise InvalidRequest(f"several fixes are called {which!r}. {_choice(chosen)}")
    return chosen[0]


def _choice(fixes: Iterable[_Numbered]) -> str:
    return "Choose one with --fix NUMBER:\n" + "\n".join(one.line for one in fixes)
