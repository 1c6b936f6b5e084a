"""Select the fix of a report that is written as a script for an administrator."""

from __future__ import annotations

from typing import NamedTuple

from auditor.fixes.script import NoScript, script
from auditor.jobs.snapshot_files import NAME_THE_TENANT
from auditor.model.decision import Fix
from auditor.model.errors import InvalidRequest
from auditor.model.report import Report


class FixScript(NamedTuple):
    """The text of a script, and the title of its fix."""

    title: str
    text: str


def fix_script(report: Report, shell: str, route: str = "") -> FixScript:
    """The script of the fix with this route or key; without one, of the first fix that can be written as a script.

    `shell` is ``powershell`` or ``az``. Raises InvalidRequest if the report has no such fix, or if none can be written
    as a script.
    """
    offered = _offered(report, route)
    if not report.tenant.id:
        raise InvalidRequest(f"a script must check the tenant, but the files don't name it. {NAME_THE_TENANT}")
    problems: list[str] = []
    for fix in offered:
        try:
            return FixScript(fix.title, script(fix, shell, tenant=report.tenant.id))
        except NoScript as error:
            problems.append(f"{fix.key or fix.route}: {error}")
    raise InvalidRequest("none of the fixes can be written as a script:\n  " + "\n  ".join(problems))


def _offered(report: Report, route: str) -> list[Fix]:
    fixes = list({fix.key or fix.route: fix for d in report.decisions for fix in d.fixes}.values())
    if not fixes:
        raise InvalidRequest("there is nothing to fix: users can connect, or no change is proven to help")
    if not route:
        return fixes
    chosen = [fix for fix in fixes if route.lower() in (fix.route.lower(), fix.key.lower())]
    if not chosen:
        offered = "\n".join(f"  {fix.key or fix.route}: {fix.title}" for fix in fixes)
        raise InvalidRequest(f"the report has no fix {route!r}. Its fixes are:\n{offered}")
    return chosen
