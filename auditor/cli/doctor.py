"""``doctor``: what stands between this machine and an audit, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from auditor.cli import exits
from auditor.cli.options import pack_option, tenant_options

if TYPE_CHECKING:
    from auditor.jobs.doctor import Diagnosis, PermissionState

MARKS = {True: ("ok  ", "green"), False: ("FAIL", "red"), None: ("?   ", "yellow")}


@click.command(
    "doctor",
    epilog="""\b
Examples:
  consent-auditor doctor --pack trackerrms-uk
  consent-auditor doctor --auth az-cli

\b
Exit codes: 0 all is well, 1 a permission is missing or the clock is wrong,
2 usage error, 3 no audit can be made.""",
)
@pack_option
@tenant_options
def command(packs: tuple[str, ...], **tenant: Any) -> int:
    """Test the credential, the network and the permissions before an audit.

    Reads nothing of the tenant: it fetches a token and looks at what the token allows.
    """
    from auditor.cli.live import target_for
    from auditor.jobs.doctor import diagnose
    from auditor.packs.find import list_packs, load_packs
    from auditor.packs.plan import plan_for

    names = packs or tuple(pack.name for pack in list_packs())
    found = diagnose(target_for(**tenant), plan_for(load_packs(names)))
    for line in (*_hosts(found), *_credential(found), *_permissions(found)):
        click.echo(line)
    if not found.can_audit:
        return exits.NO_AUDIT
    return exits.OK if found.is_well else exits.FAILING


def _line(state: bool | None, text: str) -> str:
    from auditor.cli.output import wants_colour

    mark, colour = MARKS[state]
    return f"{click.style(mark, fg=colour) if wants_colour() else mark}  {text}"


def _hosts(found: Diagnosis) -> Iterator[str]:
    for host in found.probe.hosts:
        if not host.ok:
            yield _line(False, f"{host.name} cannot be reached at {host.url}: {host.problem}")
            yield f"      {host.advice}"
            continue
        yield _line(True, f"{host.name} answers at {host.url.split('/', 3)[2]} in {host.seconds * 1000:.0f} ms")
        if host.clock_is_right is False and host.skew is not None:
            way = "behind" if host.skew > 0 else "ahead of"
            yield _line(False, f"This machine's clock is {abs(host.skew):.0f} s {way} {host.name}'s")
            yield "      Set the clock (Windows: w32tm /resync; Linux: timedatectl set-ntp true)."


def _credential(found: Diagnosis) -> Iterator[str]:
    probe = found.probe
    if probe.claims is None:
        yield _line(False, f"No token with --auth {probe.auth}: {probe.problem}")
        yield f"      {probe.advice}"
        return
    who = f"user {probe.claims.user}" if probe.claims.user else f"app {probe.claims.app_id}"
    yield _line(True, f"Signed in by {probe.auth} as {who} in tenant {probe.claims.tenant_id}")


def _permissions(found: Diagnosis) -> Iterator[str]:
    for permission in found.permissions:
        if permission.missing:
            yield _line(False, f"{permission.name} is missing (for {', '.join(permission.sections)})")
            yield f"      Without it: {permission.without}."
        else:
            instead = "" if permission.held_as == permission.name else f", through {permission.held_as}"
            yield _line(True, f"{permission.name}{instead}")
    missing = [p for p in found.permissions if p.missing]
    if missing and found.probe.claims is not None:
        yield ""
        yield from _how_to_grant(found, missing)
    if found.extra:
        yield _line(None, f"Not needed by these packs: {', '.join(found.extra)}")


def _how_to_grant(found: Diagnosis, missing: list[PermissionState]) -> Iterator[str]:
    claims = found.probe.claims
    app = claims.app_id if claims else ""
    yield "To grant what is missing (as Privileged Role Administrator):"
    yield f"  Portal: App registrations > the app {app} > API permissions > Add a permission >"
    yield f"    Microsoft Graph > Application permissions > {', '.join(p.name for p in missing)},"
    yield "    then: Grant admin consent."
    roles = " ".join(f"{p.id}=Role" for p in missing)
    yield f"  az: az ad app permission add --id {app} --api 00000003-0000-0000-c000-000000000000 \\"
    yield f"        --api-permissions {roles}"
    yield f"      az ad app permission admin-consent --id {app}"
    yield "  A new token may take some minutes to hold them."
