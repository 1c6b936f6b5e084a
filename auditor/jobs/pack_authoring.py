"""Jobs for the authors of rule packs: find mistakes, write a new pack for an app, and list the needed permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec

from auditor.checks.permission_lists import scope_of
from auditor.checks.required_reads import Needed, permissions_for, plan_for, required_resource_access
from auditor.consent.granted_permissions import app_as_granted
from auditor.consent.request import app_from_scopes, refuse_unnamed_resources, scope_needs
from auditor.facts.ids import RESOURCE_NAMES
from auditor.facts.permissions import PERMISSIONS
from auditor.jobs.audit import read_source
from auditor.jobs.audit_request import SILENT, AuditRequest, Interaction, Source
from auditor.jobs.pack_selection import app_pack_names, chosen_packs, sources_for
from auditor.model.errors import InvalidRequest
from auditor.model.rule import App
from auditor.model.snapshot import LiveTenant, Plan
from auditor.packs import PackError
from auditor.packs import Problem as Problem
from auditor.packs.lint import Linted as Linted
from auditor.packs.lint import lint
from auditor.packs.load import Source as PackSource
from auditor.packs.load import load
from auditor.packs.new_pack import name_for, pack_text
from auditor.packs.parse import is_reserved
from auditor.packs.yaml_nodes import CONTROL
from auditor.snapshot.samples import sample_names


class DescribedApp(NamedTuple):
    """An app, and the source of its list of scopes."""

    app: App
    source: str


def lint_packs(names: Iterable[str]) -> Linted:
    """All mistakes, warnings and advice for these packs; names that have no pack are among the mistakes."""
    sources: list[PackSource] = []
    unfound: list[Problem] = []
    for name in tuple(names) or (None,):
        try:
            for found in sources_for([name] if name else ()):
                sources.extend(found)
        except PackError as error:
            unfound.extend(error.problems)
    linted = lint(sources, samples=sample_names())
    return linted._replace(errors=(*unfound, *linted.errors))


def needed_permissions(names: Iterable[str]) -> tuple[Needed, ...]:
    """The least privileged application permissions for the packs; without names, for the shipped app packs."""
    return permissions_for(plan_for(chosen_packs(tuple(names) or app_pack_names())))


def permission_rows(needed: Iterable[Needed]) -> list[tuple[str, str, str, str]]:
    """For each permission its name, its app role id, its alternatives, and the sections that it allows to read."""
    return [
        (n.permission, PERMISSIONS[n.permission].id, ", ".join(n.alternatives) or "-", ", ".join(n.sections))
        for n in needed
    ]


def permissions_manifest(needed: Iterable[Needed]) -> list[dict[str, Any]]:
    """The permissions as ``requiredResourceAccess`` of an app registration."""
    return required_resource_access(needed)


def app_of_address(url: str, scopes: str | None, describe: Callable[[str | None], App | None]) -> DescribedApp:
    """The app of a pasted URL, with `scopes` if the URL names none.

    `describe` builds the app from all options; its argument are the scopes to combine with the URL.
    """
    from auditor.consent.sign_in_address import request_from_url

    names_none = bool(scopes) and not request_from_url(url).app.scopes
    app = describe(None if names_none else scopes)
    assert app is not None, "a URL names an app"
    if names_none:
        return DescribedApp(msgspec.structs.replace(app, scopes=scope_needs(str(scopes))), "")
    return DescribedApp(app, "the address of its sign-in")


def app_of_grants(
    client_id: str, source: Source, *, name: str = "", redirect_uri: str = "", interaction: Interaction = SILENT
) -> DescribedApp:
    """The app with the scopes that a tenant granted to it.

    Scopes that their resource no longer publishes are left out, with a message. Raises InvalidRequest for a name that
    a pack can't contain, RequestError if the tenant granted nothing, and what reading a tenant raises.
    """
    asked = app_from_scopes(client_id, "")
    if isinstance(source, LiveTenant):
        from auditor.jobs.tenant_reader import read_tenant

        plan = Plan(sections=("organization",), clients=(asked.client_id,), resources=tuple(RESOURCE_NAMES))
        snapshot = read_tenant(source, plan, apps=[asked], interaction=interaction)
    else:
        snapshot, _ = read_source(AuditRequest(source=source), ())
    app = app_as_granted(snapshot, asked.client_id)
    if not name:
        _refuse_control_characters(app.name)
    uris = (redirect_uri,) if redirect_uri else app.redirect_uris
    app = msgspec.structs.replace(app, name=name or app.name, redirect_uris=uris)
    app = _without_withdrawn_scopes(app, interaction)
    return DescribedApp(app, f"what it was granted in a tenant where it works, read on {snapshot.taken[:10]}")


def _refuse_control_characters(name: str) -> None:
    if bad := CONTROL.search(name):
        raise InvalidRequest(
            f"the app's name in this tenant contains the character U+{ord(bad.group()):04X}, which isn't allowed"
            ' in a pack: give the app another name with --name "…"'
        )


def _without_withdrawn_scopes(app: App, interaction: Interaction) -> App:
    """The app without scopes that were granted but that their resource no longer publishes."""
    gone = [need for need in app.scopes if scope_of(need.resource, need.value)]
    for need in gone:
        interaction.say(f"Left out {need.value}: it was granted, but its resource no longer publishes it.")
    return msgspec.structs.replace(app, scopes=tuple(need for need in app.scopes if need not in gone))


def refuse_reserved_name(pack_name: str) -> None:
    """Raise InvalidRequest for a name that is reserved for the program's packs."""
    if is_reserved(pack_name):
        raise InvalidRequest(f'--pack-name: "{pack_name}" is reserved for a pack of the program: choose another name')


def text_of_new_pack(described: DescribedApp, *, name: str = "", label: str = "the new pack") -> str:
    """The YAML of a pack for the app, checked by loading it. Errors call it `label`.

    Raises InvalidRequest for an app without scopes, RequestError and PackError.
    """
    app = described.app
    if not app.scopes:
        raise InvalidRequest(
            "the URL names no scopes, so the app requests those of its registration, which only its vendor can read."
            f' Add --scopes "…" as the vendor states them, or run packs new --app {app.client_id} --from-grants in a'
            " tenant where it works"
        )
    refuse_unnamed_resources(app)
    text = pack_text(app, name=name or name_for(app), source=described.source)
    load(PackSource(label, text.encode()))
    return text
