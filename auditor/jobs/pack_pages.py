"""The pages about packs and rules, for ``packs show`` and for docs/rules.

They need both the sentences and reads of rules and the labels of sections in reports, and no package below this one
may import both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditor.checks.kind import kind_of, plan_for, reads_of
from auditor.checks.required_reads import permissions_for, sections_of
from auditor.facts.app_names import published_name
from auditor.facts.ids import NO_ID, RESOURCE_NAMES
from auditor.model.decision import ROUTES
from auditor.model.document import (
    Block,
    Cell,
    Document,
    FactList,
    Grid,
    Heading,
    Links,
    Paragraph,
    Points,
    Title,
    code,
)
from auditor.model.rule import App, Pack, PermissionNeed, Remediation, Rule, RuleCase, with_values
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import Plan
from auditor.render.labels import flat
from auditor.render.text_layout import safe

SOME_APP = App(client_id=NO_ID)
"""Used in place of the app that an abstract pack doesn't name, so that its page can list what it reads."""


def rule_page(pack: Pack, rule: Rule) -> Document:
    """The page of a rule: what it checks, why, how to fix it, what it reads, its references, its cases."""
    return tuple(_rule_blocks(pack, rule))


def pack_page(pack: Pack, rules_at: str = "") -> Document:
    """The page of a pack: its app, its rules, and the permissions that it needs.

    `rules_at` is the folder with the pages of its rules, if that isn't the folder of this page.
    """
    return tuple(_pack_blocks(pack, rules_at))


def index_page(packs: Iterable[Pack]) -> Document:
    """The list of packs, with the purpose of each."""
    rows = tuple(
        (
            Cell(pack.name, f"{pack.name}/README.md"),
            Cell(pack.version),
            Cell(str(len(pack.rules))),
            Cell(f"{_text(pack.title)}{' (only for other packs to extend)' if pack.abstract else ''}"),
        )
        for pack in packs
    )
    return (
        Title("Rule packs"),
        Paragraph(
            "The packs that ship with the program, with a page for each rule. To print the same text, run"
            f" {code('consent-auditor packs show PACK')} or {code('consent-auditor packs show PACK/RULE-ID')}."
        ),
        Grid(("Pack", "Version", "Rules", "For"), rows, prose=3),
    )


def _rule_blocks(pack: Pack, rule: Rule) -> Iterator[Block]:
    yield Title(f"{rule.id}: {_text(rule.title)}")
    facts = [("Pack", Cell(f"{pack.name} {_text(pack.version)}", "README.md")), ("Severity", Cell(rule.severity.value))]
    facts += [("Also known as", Cell(f"{_text(name)} {_text(control)}")) for name, control in rule.frameworks.items()]
    yield FactList(tuple(facts))
    yield Heading("What it checks")
    yield Paragraph("The rule passes if this is true:")
    yield Points((kind_of(rule.check).sentence(),))
    yield Paragraph("If the data for it couldn't be read, the result is unknown: never a pass, never a fail.")
    yield Heading("Why")
    yield Paragraph(_text(rule.why))
    if rule.view:
        yield Heading("Whose view this is")
        yield Paragraph(_text(rule.view))
    yield from _what_to_do(rule, pack.app)
    yield from _reads(_reads_of(rule, pack), "What it reads")
    yield from _addresses(rule.references)
    yield from _cases(rule)


def _what_to_do(rule: Rule, app: App | None) -> Iterator[Block]:
    fix = rule.fix
    if fix == Remediation() and not rule.routes:
        return
    yield Heading("How to fix it")
    path = " > ".join(_filled(step, app) for step in fix.portal)
    rows = [("Portal", path), ("Link", _filled(fix.link, app)), ("Least role", _filled(fix.role, app))]
    if shown := tuple((name, Cell(text)) for name, text in rows if text):
        yield FactList(shown)
    if fix.note:
        yield Paragraph(_filled(fix.note, app))
    if rule.routes:
        named = "; ".join(f"{code(route)} {ROUTES[route]}" for route in rule.routes)
        yield Paragraph(f"A report offers these fixes if they are proven to help in the tenant: {named}.")


def _filled(text: str, app: App | None) -> str:
    """Advice with the app's values filled in, and a description of the values that depend on the tenant."""
    values = {
        "portal": "Microsoft Entra admin center",
        "admin-consent-link": "the admin consent link in the report",
        "tenant-id": "the tenant's id",
        "client-id": app.client_id if app else "the app's client ID",
        "app": app.label if app else "the app",
        "redirect-uri": app.redirect_uris[0] if app and app.redirect_uris else "the app's redirect URI",
        "scopes": ", ".join(need.value for need in app.required_scopes) if app else "the app's permissions",
    }
    return _text(with_values(text, values))


def _reads_of(rule: Rule, pack: Pack) -> Plan:
    return reads_of(rule.check, pack.app or (SOME_APP if pack.abstract else None))


def _reads(plan: Plan, heading: str) -> Iterator[Block]:
    """The sections, the least privileged permission for each, and which of them are read page by page."""
    by_section = {section: n for n in permissions_for(plan) for section in n.sections}
    rows = tuple(
        (Cell(code(section), below=SECTIONS[section].label), Cell(code(by_section[section].permission)))
        for section in dict.fromkeys(sections_of(plan))
    )
    if not rows:
        return
    yield Heading(heading)
    yield Grid(("Section", "Microsoft Graph permission"), rows, prose=0)
    if plan.whole:
        names = " and ".join(code(section) for section in plan.whole)
        yield Paragraph(f"Read for the whole tenant, page by page, which takes longer in a large tenant: {names}.")


def _addresses(urls: Sequence[str]) -> Iterator[Block]:
    if urls:
        yield Heading("References")
        yield Links(tuple(map(safe, urls)))


def _cases(rule: Rule) -> Iterator[Block]:
    yield Heading("Cases")
    if not rule.cases:
        yield Paragraph("This pack has no cases for the rule. The packs that extend it have them.")
        return
    yield Paragraph(
        f"Small tenants with the outcome that the rule must give. To run them: {code('consent-auditor packs test')}."
        + (" The rule never fails, because it allows every value." if not kind_of(rule.check).can_fail else "")
    )
    rows = tuple((Cell(case.expect.value), Cell(_text(case.name)), Cell(_tenant(case))) for case in rule.cases)
    yield Grid(("Expected", "Case", "Tenant"), rows, prose=1)


def _tenant(case: RuleCase) -> str:
    """The sample and the changes that the case makes to it."""
    parts = [f"sample {code(case.sample)}"]
    if case.set:
        parts.append(f"{_names(case.set)} changed")
    if case.unread:
        parts.append(f"{_names(case.unread)} not read")
    if case.whole:
        parts.append(f"{_names(case.whole)} read completely")
    return "; ".join(parts)


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))


def _pack_blocks(pack: Pack, rules_at: str) -> Iterator[Block]:
    yield Title(f"{pack.name}: {_text(pack.title)}")
    if pack.about:
        yield Paragraph(_text(pack.about))
    if pack.abstract:
        yield Paragraph("This pack is abstract: you can't audit with it, but other packs extend it.")
    facts = [("Version", pack.version), ("SHA-256", pack.digest), ("File", pack.origin)]
    facts += [("Extends", pack.extends)] if pack.extends else []
    yield FactList(tuple((name, Cell(_text(value))) for name, value in facts))
    if pack.app is not None:
        yield from _app(pack.app)
    yield Heading("Rules")
    rows = tuple(
        (Cell(rule.id, f"{rules_at}{rule.id}.md"), Cell(rule.severity.value), Cell(_text(rule.title)))
        for rule in pack.rules
    )
    yield Grid(("Rule", "Severity", "Title"), rows, prose=2)
    plan = plan_for([pack], SOME_APP if pack.abstract and pack.app is None else None)
    yield from _reads(plan, "What an audit by this pack reads")
    yield from _addresses(pack.references)
    if pack.warnings:
        yield Heading("Warnings")
        yield Paragraph("\n".join(map(safe, pack.warnings)))


def _app(app: App) -> Iterator[Block]:
    yield Heading("App")
    facts = [
        ("Name", app.name),
        ("Client id", app.client_id),
        *(("Redirect URI", uri) for uri in app.redirect_uris),
        ("Requests", _MODES[app.mode.value]),
        *([("Authority", app.authority)] if app.authority else []),
        ("Publisher verified", _yes_or_no(app.publisher_verified)),
        ("Owner tenant", app.owner_tenant or "unknown"),
        ("Registered before 8 November 2020", _yes_or_no(app.registered_before_2020_11_08)),
    ]
    yield FactList(tuple((name, Cell(_text(value))) for name, value in facts))
    yield from _permissions(app.scopes, "The permissions that it requests are")
    yield from _permissions(app.app_roles, "The application permissions that it needs to work without a user are")


def _permissions(needs: Sequence[PermissionNeed], lead: str) -> Iterator[Block]:
    """The permissions and where each comes from; `lead` begins the sentence about all of them."""
    sources = {_scope_source(need) for need in needs}
    rows = permission_rows(needs)
    heads = ("Permission", "Resource", "Needed")
    if len(sources) == 1:
        yield Paragraph(f"{lead} {sources.pop()}.")
        yield Grid(heads, tuple(rows), prose=1)
    elif rows:
        known = (Cell(_scope_source(need)) for need in needs)
        yield Grid((*heads, "Source"), tuple((*row, cell) for row, cell in zip(rows, known, strict=True)), prose=3)


def permission_rows(needs: Iterable[PermissionNeed]) -> list[tuple[Cell, ...]]:
    """A row for each permission: its name, its resource, and whether the app needs it."""
    return [
        (Cell(code(n.value)), Cell(resource_name(n.resource)), Cell("required" if n.required else "optional"))
        for n in needs
    ]


_MODES = {
    "dynamic": "the permissions that each request names",
    "default": "whatever is registered (.default)",
    "registered": "whatever is registered (v1.0 endpoint)",
}


def resource_name(app_id: str) -> str:
    """The name of an API, or its app id if it isn't known."""
    named = RESOURCE_NAMES.get(app_id) or published_name(app_id)
    return _text(named or app_id)


def _scope_source(need: PermissionNeed) -> str:
    """Who says that the app requests this permission, or that it is an assumption."""
    source = _text(need.source)
    if need.assumed:
        return f"assumed ({source})" if source else "assumed"
    return f"stated ({source})" if source else "stated by the pack"


def _yes_or_no(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _text(text: str) -> str:
    """An author's text on one line, without characters that could control a terminal."""
    return safe(flat(text))
