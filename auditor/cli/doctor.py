"""``doctor``: what prevents an audit from this machine, and how to fix it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import live_tenant, pack_option, refuse_empty, tenant_options
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction, wants_colour, width
from auditor.model.errors import FAILING, NO_AUDIT, OK

if TYPE_CHECKING:
    from auditor.jobs.doctor import Diagnosis, PermissionState

MARKS = {True: ("ok", "green"), False: ("FAIL", "red"), None: ("note", "yellow")}
INDENT = 6
"""Width of a mark with the spaces after it, in columns."""
RENEWAL_DAYS = 30
"""How many days before its end it is time to renew a credential."""


@click.command(
    "doctor",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor doctor --pack trackerrms-uk
  consent-auditor doctor --auth az-cli

Exit codes: 0 no problems, 1 a permission is missing or the clock is wrong,
2 usage error, 3 an audit can't run.""",
)
@pack_option
@tenant_options
def command(packs: tuple[str, ...], **tenant: Any) -> int:
    """Test the credential, the network and the permissions before an audit.

    Gets a token, checks what it allows, and reads when the credential ends. Reads nothing else in the tenant.
    """
    refuse_empty()
    from auditor.jobs.audit_request import AuditRequest
    from auditor.jobs.doctor import diagnose

    with interaction() as person:
        found = diagnose(AuditRequest(source=live_tenant(**tenant), packs=packs), person)
    printed: set[str] = set()
    for line in (*_hosts(found), *_credential(found), *_permissions(found), "", _summary(found)):
        # Hosts that fail for the same reason need the same advice, once.
        if not line.startswith(" " * INDENT) or line not in printed:
            click.echo(line)
        printed.add(line)
    if not found.can_audit:
        return NO_AUDIT
    return OK if found.has_no_problems else FAILING


def _line(state: bool | None, text: str) -> str:
    word, colour = MARKS[state]
    mark = click.style(word, fg=colour) if wants_colour() else word
    return f"{mark}{' ' * (INDENT - len(word))}{_wrapped(text).lstrip()}"


def _wrapped(text: str) -> str:
    """A paragraph indented under its mark. Long words aren't broken, so that they can be copied."""
    margin = " " * INDENT
    return textwrap.fill(
        text,
        width(),
        initial_indent=margin,
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _hosts(found: Diagnosis) -> Iterator[str]:
    for host in found.probe.hosts:
        if not host.ok:
            yield _line(False, f"{host.name}: {host.problem}")
            yield _wrapped(host.advice)
            continue
        yield _line(True, f"{host.name} answers at {host.url.split('/', 3)[2]} in {host.seconds * 1000:.0f} ms")
        if host.clock_is_right is False and host.skew is not None:
            way = "behind" if host.skew > 0 else "ahead of"
            yield _line(False, f"This machine's clock is {abs(host.skew):.0f} s {way} {host.name}'s")
            yield _wrapped("Set the clock (Windows: w32tm /resync; Linux: timedatectl set-ntp true).")


def _credential(found: Diagnosis) -> Iterator[str]:
    probe = found.probe
    if probe.claims is None:
        yield _line(False, f"No token with --auth {probe.auth}: {probe.problem}")
        yield _wrapped(probe.advice)
        return
    who = f"user {probe.claims.user}" if probe.claims.user else f"app {probe.claims.app_id}"
    yield _line(True, f"Signed in with {probe.auth} as {who} in tenant {probe.claims.tenant_id}")
    if probe.credential is not None:
        from auditor.render.labels import credential_end_text

        now = datetime.now(UTC)
        days = probe.credential.days_left(now)
        is_far = probe.credential.never_ends or (days is not None and days >= RENEWAL_DAYS)
        yield _line(is_far or None, credential_end_text(probe.credential, now))
        if days is not None and not is_far:
            yield _wrapped("Add a new one to the app registration, use it here, then remove the old one.")


def _permissions(found: Diagnosis) -> Iterator[str]:
    for permission in found.permissions:
        if permission.missing:
            yield _line(False, f"{permission.name} is missing (reads {', '.join(permission.sections)})")
            yield _wrapped(f"Unknown without it: {permission.without}.")
        else:
            instead = "" if permission.held_as == permission.name else f", through {permission.held_as}"
            yield _line(True, f"{permission.name}{instead}")
    for permission in found.of_commands:
        if permission.missing:
            yield _line(None, f"{permission.name} is missing; no chosen pack needs it")
            yield _wrapped(f"Unknown without it, in blocked, apps survey and explain: {permission.without}.")
        else:
            yield _line(True, f"{permission.held_as}, for blocked, apps survey and explain")
    if found.extra:
        yield _line(
            None,
            f"These packs don't need: {', '.join(found.extra)}."
            " --user and collect --full use some of these permissions; remove those that you don't use.",
        )
    yield from _since_last_run(found)
    missing = [p for p in found.permissions if p.missing]
    if missing:
        yield ""
        is_person = found.probe.claims is not None and bool(found.probe.claims.user)
        yield from _how_to_sign_in(found) if is_person else _how_to_grant(found, missing)


def _since_last_run(found: Diagnosis) -> Iterator[str]:
    if (change := found.change) is None:
        return
    from auditor.render.labels import readable_time

    since = f"since the last run ({readable_time(change.since)})"
    if not change.gained and not change.lost:
        yield _line(True, f"The permissions are the same as in the last run ({readable_time(change.since)})")
    if change.lost:
        yield _line(None, f"Removed {since}: {', '.join(change.lost)}")
    if change.gained:
        yield _line(None, f"Added {since}: {', '.join(change.gained)}")


def _how_to_grant(found: Diagnosis, missing: list[PermissionState]) -> Iterator[str]:
    claims = found.probe.claims
    app = claims.app_id if claims else ""
    yield "To grant what is missing, sign in as a Privileged Role Administrator, and use"
    yield "either the portal (https://entra.microsoft.com):"
    yield f"  1. App registrations > All applications > {app} >"
    yield "     API permissions > Add a permission > Microsoft Graph >"
    yield "     Application permissions"
    yield "  2. Choose:"
    yield from (f"       {permission.name}" for permission in missing)
    yield "  3. Select Add permissions, then Grant admin consent."
    yield "or the Azure CLI:"
    yield f"  az ad app permission add --id {app} \\"
    yield "    --api 00000003-0000-0000-c000-000000000000 --api-permissions \\"
    *most, last = (f"    {permission.id}=Role" for permission in missing)
    yield from (f"{role} \\" for role in most)
    yield last
    yield f"  az ad app permission admin-consent --id {app}"
    yield "It can take a few minutes until a new token includes them."


def _how_to_sign_in(found: Diagnosis) -> Iterator[str]:
    """When a person signs in, the token has the permissions of the program that they signed in with."""
    if found.probe.auth == "device-code":
        yield "An administrator has to consent to them once, when signing in. Or use your own"
        yield "app registration: docs/app-registration.md shows how."
    else:
        yield f"A sign-in with {found.probe.auth} doesn't include them. Use --auth device-code, which"
        yield "requests them, or your own app registration: docs/app-registration.md"
        yield "shows how."


def _summary(found: Diagnosis) -> str:
    missing = sum(permission.missing for permission in found.permissions)
    if not found.can_audit:
        return "Fix the items marked FAIL before you audit."
    if missing:
        noun = "a permission is" if missing == 1 else f"{missing} permissions are"
        return f"An audit can run, but some results will be unknown: {noun} missing."
    return "No problems found." if found.has_no_problems else "An audit can run, but fix the items marked FAIL."
