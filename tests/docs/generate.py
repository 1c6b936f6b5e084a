"""The parts of the docs that the program writes.

``UPDATE_DOCS=1 .venv/bin/python -m pytest tests/docs`` writes the parts that the tests compare. In a page,
a part is between ``<!-- generated: NAME -->`` and ``<!-- end of NAME -->``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

import msgspec

import auditor.jobs.nightly_forms
import auditor.packs.abused_apps
import auditor.packs.pack_schema
import auditor.packs.waiver_files
import auditor.render.blocked
import auditor.render.difference
import auditor.render.explanation
import auditor.render.fleet
import auditor.render.fleet_tenants
import auditor.render.json
import auditor.render.night
import auditor.render.onboarding
import auditor.render.run_history
import auditor.render.survey
import auditor.snapshot.write
from auditor import __version__
from auditor.checks import every_kind, required_reads
from auditor.checks.kind import CheckKind, plan_for
from auditor.checks.required_reads import Needed, permissions_for
from auditor.facts.ids import CLOUDS, EXCHANGE_ONLINE, MICROSOFT_GRAPH
from auditor.facts.permissions import (
    ADMIN_ONLY,
    APP_ROLES,
    PERMISSIONS,
    RISKY,
    SCOPE_LISTS,
    ApplicationPermission,
    listed_scopes,
    spellings,
)
from auditor.jobs import app_catalog
from auditor.jobs.audit import exit_code
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.rule import Pack, Severity
from auditor.model.sections import SECTIONS, TENANT_SECTIONS, permissions_to_read
from auditor.packs import PackProblems
from auditor.packs.app_catalog import index_of
from auditor.packs.extend import chain
from auditor.packs.load import (
    as_stored,
    catalog_names,
    every_shipped_name,
    list_packs,
    load_packs,
    shipped_list_source,
    shipped_names,
    shipped_source,
)
from auditor.packs.pack_texts import RELEASES
from auditor.packs.parse import parse_with_warnings
from auditor.render.labels import OUTCOMES
from auditor.snapshot.samples import about, sample, sample_names
from tests.docs import app_pages, code_pages, rule_pages
from tests.docs.commands import every_command
from tests.docs.live import requests_of
from tests.docs.pages import PROGRAM

SAMPLE_PACK = "trackerrms-uk"
WIDE = "Directory.Read.All"
"""Never asked for: everything that it would allow, a narrower permission allows."""

OPTIONAL_FOR = MappingProxyType(
    {
        "User.Read.All": "`--user`",
        "GroupSettings.Read.All": "`check`, in the few tenants in which risk-based step-up decides; `collect --full`",
        "ConsentRequest.Read.All": "`collect --full`",
        "ConfigurationMonitoring.Read.All": "nightly runs and `collect --full`",
        "AuditLog.Read.All": "nightly runs and `collect --full`; sign-ins also need Entra ID P1 or P2",
    }
)
"""The permissions that no shipped pack needs, and what each is for."""

_PART = re.compile(r"(<!-- generated: ([\w-]+) -->\n)(.*?)(<!-- end of \2 -->)", re.DOTALL)


def parts(text: str) -> Iterator[tuple[str, str]]:
    """The generated parts of a page: name and present text."""
    for match in _PART.finditer(text):
        yield match[2], match[3]


def renewed(text: str) -> str:
    """A page with its generated parts as they should be."""
    return _PART.sub(lambda match: f"{match[1]}{PARTS[match[2]]()}{match[4]}", text)


def needed() -> tuple[Needed, ...]:
    """The permissions that the shipped packs need, as ``packs permissions`` prints them."""
    return permissions_for(plan_for(load_packs([pack.name for pack in list_packs()])))


def optional() -> tuple[ApplicationPermission, ...]:
    """The permissions that more than a pre-flight needs."""
    wanted = {n.permission for n in needed()}
    return tuple(p for name, p in PERMISSIONS.items() if name not in wanted and name != WIDE)


def required_resource_access() -> bytes:
    """What an app registration must ask of Microsoft Graph, as az and the manifest take it."""
    return _json(required_reads.required_resource_access(needed()))


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |"]
    lines.append(re.sub(r"[^|]+", "---", lines[0]))
    lines.extend(f"| {' | '.join(row)} |" for row in rows)
    return "\n" + "\n".join(lines) + "\n\n"


def _permissions() -> str:
    rows = ((f"`{n.permission}`", PERMISSIONS[n.permission].without) for n in needed())
    return _table(("Microsoft Graph application permission", "What is unknown or less certain without it"), rows)


def _permission_details() -> str:
    rows = (
        (
            f"`{n.permission}`",
            ", ".join(f"`{section}`" for section in n.sections),
            PERMISSIONS[n.permission].without,
            f"`{PERMISSIONS[n.permission].id}`",
        )
        for n in needed()
    )
    return _table(("Permission", "Reads", "What is unknown or less certain without it", "App role ID"), rows)


def _optional_permissions() -> str:
    rows = ((f"`{p.name}`", OPTIONAL_FOR[p.name], p.without, f"`{p.id}`") for p in optional())
    return _table(("Permission", "Used by", "What is unknown without it", "App role ID"), rows)


def _access() -> str:
    return f"\n```json\n{required_resource_access().decode()}```\n\n"


def _samples() -> str:
    rows = []
    for name in sample_names():
        report = build_report(sample(name), chosen_packs([SAMPLE_PACK]))
        code = exit_code(report, fail_on=Severity.MEDIUM.value, strict=False)
        rows.append((f"`{name}`", about(name), OUTCOMES[report.decisions[0].outcome].word, str(code)))
    return _table(("Sample", "The tenant", "Answer for TrackerRMS", "Exit code"), rows)


def _schemas() -> str:
    """Every published schema and its title."""
    paths = sorted(name for name in FILES if name.startswith("docs/schemas/"))
    rows = ((f"[{Path(path).name}](schemas/{Path(path).name})", json.loads(FILES[path]())["title"]) for path in paths)
    return _table(("File", "What it describes"), rows)


def _checks() -> str:
    rows = ((f"`{kind.__struct_config__.tag}`", _about(kind), _arguments(kind)) for kind in every_kind())
    return _table(("kind", "The rule passes if", "Arguments"), rows)


def _about(kind: type[CheckKind]) -> str:
    """The kind's docstring, in the marks of Markdown."""
    return " ".join(str(kind.__doc__).split()).replace("``", "`").replace(" : ", ": ")


def _arguments(kind: type[CheckKind]) -> str:
    return ", ".join(map(_argument, msgspec.structs.fields(kind)))


def _argument(field: msgspec.structs.FieldInfo) -> str:
    """Name, whether it may be left out, and the words that it takes where these are few."""
    types = get_args(field.type) or (field.type,)
    words = [word for one in (field.type, *types) if get_origin(one) is Literal for word in get_args(one)]
    taken = f" ({', '.join(f'`{word}`' for word in words)})" if words else ""
    return f"`{field.encode_name}`{'' if field.required else '?'}{taken}"


def _scope_lists() -> str:
    delegated = ((f"`{name}`", "delegated", _members(name)) for name in SCOPE_LISTS)
    held = ((f"`{name}`", "application", _named({role.value for role in roles})) for name, roles in APP_ROLES.items())
    return _table(("List", "Permissions", "Members"), (*delegated, *held))


def _members(name: str) -> str:
    if name == "risky":
        return f"those of {_named(RISKY)}"
    if name == ADMIN_ONLY:
        return "every permission that its resource lets only administrators grant"
    written = spellings()
    return _named({written[scope] for scopes in listed_scopes([name]).values() for scope in scopes})


def _named(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in sorted(values, key=str.lower))


def _clouds() -> str:
    rows = ((f"`{c.name}`", f"`{c.authority}`", f"`{c.graph}`", f"`{c.portal}`") for c in CLOUDS.values())
    return _table(("`--cloud`", "Sign-in", "Microsoft Graph", "Portal"), rows)


def _sections() -> str:
    rows = (
        (f"`{name}`", SECTIONS[name].label, " or ".join(f"`{permission}`" for permission in permissions_to_read(name)))
        for name in TENANT_SECTIONS
    )
    return _table(("Section", "Content", "Permission to read it"), rows)


def _requests() -> str:
    """What the test server was asked by a real pre-flight, with the long lists of properties left out."""
    lines = []
    for item in requests_of(f"{PROGRAM} check --pack {SAMPLE_PACK}"):
        path = item
        for app_id, name in ((_client_id(), "the app"), (MICROSOFT_GRAPH, "Graph"), (EXCHANGE_ONLINE, "Exchange")):
            path = path.replace(app_id, f"{{client id of {name}}}")
        lines.append("GET " + re.sub(r"\$select=[^&]*", "$select=…", path))
    return "\n```text\n" + "\n".join(lines) + "\n```\n\n"


def _client_id() -> str:
    (pack,) = load_packs([SAMPLE_PACK])
    assert pack.app is not None
    return pack.app.client_id


def _commands() -> str:
    return "\n" + "\n".join(
        f"## {here.command_path}\n\n```text\n{here.command.get_help(here)}\n```\n" for here in every_command()
    )


PARTS: MappingProxyType[str, Callable[[], str]] = MappingProxyType(
    {
        "permissions": _permissions,
        "permission-details": _permission_details,
        "optional-permissions": _optional_permissions,
        "required-resource-access": _access,
        "samples": _samples,
        "schemas": _schemas,
        "checks": _checks,
        "scope-lists": _scope_lists,
        "clouds": _clouds,
        "sections": _sections,
        "requests": _requests,
        "commands": _commands,
    }
)
"""The text between the marks, with an empty line at both ends."""


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def _schema(schema: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(schema, order="deterministic"), indent=2) + b"\n"


def _shipped_packs() -> bytes:
    """The shipped packs as an audit loads them: parsed from their texts here, and not from what was stored before."""
    return as_stored(_parsed(shipped_names()))


def _shipped_apps() -> bytes:
    """The packs of the catalogue in the same form."""
    packs = _parsed(catalog_names())
    return as_stored(packs, index_of(packs.values()))


def _catalog_names() -> bytes:
    """The names of the apps that have a pack, with the day on which their sources were last read."""
    rows: dict[str, dict[str, str]] = {}
    for pack in _parsed(every_shipped_name()).values():
        if pack.app is not None:
            read = max((source.read for source in pack.app.sources), default="")
            row = {"client_id": pack.app.client_id, "name": pack.app.name, "vendor": pack.app.vendor}
            rows.setdefault(pack.app.client_id, {**row, "pack": pack.name, "read": read})
    source = "The packs of this program about apps, from which this file is generated."
    return _json({"source": source, "apps": list(rows.values())})


def _parsed(names: Iterable[str]) -> dict[tuple[str, ...], Pack]:
    packs = {}
    for source in map(shipped_source, names):
        links = chain(source, PackProblems()).links
        packs[tuple(Path(link.source.label).stem for link in links)] = parse_with_warnings(source)[0]
    return packs


def _abused_apps() -> bytes:
    """The shipped list of known abused apps as an audit loads it."""
    found = auditor.packs.abused_apps.load_abused_apps(shipped_list_source())
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


def _releases() -> bytes:
    """The digests of the shipped packs: those of this version as they are now, those of earlier versions unchanged."""
    now = {name: hashlib.sha256(shipped_source(name).text).hexdigest() for name in every_shipped_name()}
    return _json({**json.loads(RELEASES.read_bytes()), __version__: now})


FILES: MappingProxyType[str, Callable[[], bytes]] = MappingProxyType(
    {
        "docs/required-resource-access.json": required_resource_access,
        "docs/schemas/snapshot.json": lambda: _schema(auditor.snapshot.write.schema()),
        "docs/schemas/report.json": auditor.render.json.schema,
        "docs/schemas/blocked.json": lambda: _schema(auditor.render.blocked.schema()),
        "docs/schemas/apps-survey.json": lambda: _schema(auditor.render.survey.schema()),
        "docs/schemas/fleet-tenants.json": lambda: _schema(auditor.render.fleet_tenants.schema()),
        "docs/schemas/onboarding.json": lambda: _schema(auditor.render.onboarding.schema()),
        "docs/schemas/fleet.json": lambda: _schema(auditor.render.fleet.schema()),
        "docs/schemas/diff.json": lambda: _schema(auditor.render.difference.schema()),
        "docs/schemas/explanation.json": lambda: _schema(auditor.render.explanation.schema()),
        "docs/schemas/history.json": auditor.render.run_history.schema,
        "docs/schemas/history-run.json": auditor.render.run_history.export_schema,
        "docs/schemas/apps.json": lambda: _schema(app_catalog.schema(app_catalog.AppsList)),
        "docs/schemas/app.json": lambda: _schema(app_catalog.schema(app_catalog.AppDetails)),
        "docs/schemas/pack.json": lambda: _schema(auditor.packs.pack_schema.schema()),
        "docs/schemas/night.json": lambda: _schema(auditor.render.night.schema()),
        "docs/schemas/nightly.json": lambda: _schema(auditor.jobs.nightly_forms.schema()),
        "docs/schemas/waivers.json": lambda: _schema(auditor.packs.waiver_files.schema()),
        "docs/schemas/abused-apps.json": lambda: _schema(auditor.packs.abused_apps.schema()),
        "auditor/facts/abused_apps.json": _abused_apps,
        "auditor/packs/shipped_packs.json": _shipped_packs,
        "auditor/packs/shipped_apps.json": _shipped_apps,
        "auditor/facts/catalog_names.json": _catalog_names,
        "auditor/packs/releases.json": _releases,
        "docs/error-codes.md": code_pages.page,
        **rule_pages.FILES,
        **app_pages.FILES,
    }
)
"""Whole files, by their path in the repository."""
