"""Pages about packs and rules, the same for ``packs show`` and for docs/rules.

It joins the sentences and reads of `auditor.packs` with the words that reports have for sections, and no room below
this one may know both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditor.checks.kind import kind_of
from auditor.checks.reads import permissions_for, plan_for, reads_of, sections_of
from auditor.facts.ids import RESOURCE_NAMES
from auditor.model.app import App, ScopeNeed
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
from auditor.model.finding import Remediation
from auditor.model.read_plan import Plan
from auditor.model.rule import Pack, Rule, RuleCase
from auditor.model.sections import SECTIONS
from auditor.render.labels import flat
from auditor.render.layout import safe

SOME_APP = App(client_id="00000000-0000-0000-0000-000000000000")
"""Stands in for the app that an abstract pack does not name, so that its reads can be told all the same."""

_ROUTES = {
    "R1": "the consent of an administrator for the whole tenant",
    "R3": "a grant of exactly these permissions",
    "R4": "a consent policy for this app alone",
    "R5": "classifying the permissions, or another user consent setting",
    "R6": "assigning users to the app, or dropping the assignment requirement",
    "R7": "switching sign-in to the app on again",
    "R8": "switching the admin consent workflow on",
    "R9": "another user consent setting",
}


def rule_page(pack: Pack, rule: Rule) -> Document:
    """All about one rule: what it checks, why, what to do, what it reads, where it comes from, its cases."""
    return tuple(_rule_blocks(pack, rule))


def pack_page(pack: Pack, rules_at: str = "") -> Document:
    """All about one pack: its app, its rules, the permissions that its reads need.

    `rules_at` is the folder that holds the pages of its rules, where that is not the folder of this page.
    """
    return tuple(_pack_blocks(pack, rules_at))


def index_page(packs: Iterable[Pack]) -> Document:
    """The packs, and what each is for."""
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
            "The packs that ship with the program, with a page for each of their rules. The same text is printed by"
            f" {code('consent-auditor packs show PACK')} and {code('consent-auditor packs show PACK/RULE-ID')}."
        ),
        Grid(("Pack", "Version", "Rules", "For"), rows, prose=3),
    )


def _rule_blocks(pack: Pack, rule: Rule) -> Iterator[Block]:
    yield Title(f"{rule.id}: {_text(rule.title)}")
    facts = [("Pack", Cell(f"{pack.name} {_text(pack.version)}", "README.md")), ("Severity", Cell(rule.severity.value))]
    facts += [("Also known as", Cell(f"{_text(name)} {_text(control)}")) for name, control in rule.frameworks.items()]
    yield FactList(tuple(facts))
    yield Heading("What it checks")
    yield Paragraph("The rule passes where this is so:")
    yield Points((kind_of(rule.check).sentence(),))
    yield Paragraph("What could not be read makes it unknown: never a pass, never a fail.")
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
        named = "; ".join(f"{code(route)} {_ROUTES[route]}" for route in rule.routes)
        yield Paragraph(f"A report offers those of these fixes that are proven to help in the tenant: {named}.")


def _filled(text: str, app: App | None) -> str:
    """Advice with the app's values in it; what only a tenant knows is named."""
    values = {
        "{portal}": "Microsoft Entra admin center",
        "{admin-consent-link}": "the admin consent link, which the report holds",
        "{tenant-id}": "the tenant's id",
        "{client-id}": app.client_id if app else "the app's client id",
        "{app}": app.label if app else "the app",
        "{redirect-uri}": app.redirect_uris[0] if app and app.redirect_uris else "the app's redirect URI",
        "{scopes}": ", ".join(n.value for n in app.scopes if n.required) if app else "the app's permissions",
    }
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return _text(text)


def _reads_of(rule: Rule, pack: Pack) -> Plan:
    return reads_of(rule.check, pack.app or (SOME_APP if pack.abstract else None))


def _reads(plan: Plan, heading: str) -> Iterator[Block]:
    """Sections and the least permissions for them; which of the sections are read page by page."""
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
        yield Paragraph(f"Read for the whole directory, page by page, so that the cost grows with the tenant: {names}.")


def _addresses(urls: Sequence[str]) -> Iterator[Block]:
    if urls:
        yield Heading("References")
        yield Links(tuple(map(safe, urls)))


def _cases(rule: Rule) -> Iterator[Block]:
    yield Heading("Cases")
    if not rule.cases:
        yield Paragraph("The rule has no cases here: the packs that extend this one bring them.")
        return
    yield Paragraph(
        f"Small tenants and what the rule says of each; {code('consent-auditor packs test')} runs them."
        + (" None of them fails, because the rule allows every value." if not kind_of(rule.check).can_fail else "")
    )
    rows = tuple((Cell(case.expect.value), Cell(_text(case.name)), Cell(_tenant(case))) for case in rule.cases)
    yield Grid(("Expected", "Case", "Tenant"), rows, prose=1)


def _tenant(case: RuleCase) -> str:
    """The sample, and what the case changes in it."""
    parts = [f"sample {code(case.sample)}"]
    if case.set:
        parts.append(f"{_names(case.set)} changed")
    if case.unread:
        parts.append(f"{_names(case.unread)} not read")
    if case.whole:
        parts.append(f"{_names(case.whole)} read in whole")
    return "; ".join(parts)


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(code, names))


def _pack_blocks(pack: Pack, rules_at: str) -> Iterator[Block]:
    yield Title(f"{pack.name}: {_text(pack.title)}")
    if pack.about:
        yield Paragraph(_text(pack.about))
    if pack.abstract:
        yield Paragraph("This pack is abstract: it judges no tenant by itself, and only serves packs that extend it.")
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
        yield Heading("Doubts of the loader")
        yield Paragraph("\n".join(map(safe, pack.warnings)))


def _app(app: App) -> Iterator[Block]:
    yield Heading("App")
    facts = [
        ("Name", app.name),
        ("Client id", app.client_id),
        *(("Redirect URI", uri) for uri in app.redirect_uris),
        ("Asks for", _MODES[app.mode.value]),
        *([("Authority", app.authority)] if app.authority else []),
        ("Publisher verified", _said(app.publisher_verified)),
        ("Owner tenant", app.owner_tenant or "unknown"),
        ("Registered before 8 November 2020", _said(app.registered_before_2020_11_08)),
    ]
    yield FactList(tuple((name, Cell(_text(value))) for name, value in facts))
    grounds = {_grounds(need) for need in app.scopes}
    rows = [
        (Cell(code(n.value)), Cell(_resource(n)), Cell("required" if n.required else "optional")) for n in app.scopes
    ]
    heads = ("Permission", "Resource", "Needed")
    if len(grounds) == 1:
        yield Paragraph(f"The permissions that it asks for are {grounds.pop()}.")
        yield Grid(heads, tuple(rows), prose=1)
    elif rows:
        known = (Cell(_grounds(need)) for need in app.scopes)
        yield Grid((*heads, "Grounds"), tuple((*row, cell) for row, cell in zip(rows, known, strict=True)), prose=3)


_MODES = {
    "dynamic": "the permissions that each request names",
    "default": "whatever is registered (.default)",
    "registered": "whatever is registered (v1.0 endpoint)",
}


def _resource(need: ScopeNeed) -> str:
    return _text(RESOURCE_NAMES.get(need.resource, need.resource))


def _grounds(need: ScopeNeed) -> str:
    """Where the claim comes from; an assumption says that it is one."""
    source = _text(need.source)
    if need.assumed:
        return f"assumed ({source})" if source else "assumed"
    return f"stated ({source})" if source else "stated by the pack"


def _said(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _text(text: str) -> str:
    """An author's text on one line, with nothing in it that could steer a terminal or forge a mark."""
    return safe(flat(text))
