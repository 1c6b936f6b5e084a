"""The pages about the catalogue of apps, for ``apps list``, ``apps show`` and docs/apps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditor.facts.abused_apps import abused_by_id, shipped_list
from auditor.facts.app_names import AppName, AppWithoutId
from auditor.facts.ids import app_categories
from auditor.jobs.app_catalog import AppGroup, note_on, pack_reference
from auditor.jobs.pack_pages import permission_rows, resource_name
from auditor.model.document import (
    Block,
    Cell,
    Document,
    FactList,
    Grid,
    Heading,
    Links,
    Paragraph,
    Point,
    Points,
    Title,
    code,
    count,
    series,
)
from auditor.model.rule import App, Pack, ScopeNeed, VendorAdvice
from auditor.packs.app_catalog import CatalogApp
from auditor.render.labels import flat
from auditor.render.text_layout import safe


def _command(arguments: str) -> str:
    """What to type."""
    return code(f"consent-auditor {arguments}")


_FROM_ADDRESS = _command('check --from-url "ADDRESS"')
_CLAIMS = {
    "client-id": "client ID",
    "scopes": "permissions",
    "request": "kind of request",
    "redirect-uris": "redirect URIs",
    "publisher": "publisher",
    "consent-link": "consent link",
    "also-needs": "apps that it needs",
    "app-roles": "application permissions",
}
"""What a source says, for people, by the key of a pack."""
_REQUESTS = {
    "dynamic": "the permissions that each request names",
    "default": "the permissions that its registration lists (.default)",
    "registered": "the permissions that its registration lists (v1.0 endpoint)",
}


def list_page(
    groups: Sequence[AppGroup],
    without_id: Sequence[AppWithoutId] = (),
    by_id_only: Sequence[AppName] = (),
    *,
    links: bool = False,
) -> Document:
    """The apps by category, then those of which the client id or the scopes aren't known.

    With `links`, each app links to its page.
    """
    return tuple(_list_blocks(groups, without_id, by_id_only, links))


def app_page(pack: Pack) -> Document:
    """The page of an app: what it requests, where that comes from, its vendor's advice, and what to run next."""
    return tuple(_app_blocks(pack))


def page_without_id(app: AppWithoutId) -> Document:
    """The page of an app whose vendor publishes the permissions but not the client id, and how to get that."""
    check = _command('check --app CLIENT_ID --scopes "' + " ".join(app.scopes) + '"')
    complete = "" if app.complete else " The vendor's list may not be complete."
    graph = " All are permissions of Microsoft Graph."
    return (
        Title(_text(app.name)),
        Paragraph(f"Its vendor publishes the permissions that it requests, but not its client ID.{complete}{graph}"),
        FactList(
            (
                ("Vendor", Cell(_text(app.vendor))),
                ("Category", Cell(app_categories().get(app.category, app.category))),
                ("Permissions", Cell(", ".join(map(code, app.scopes)))),
            )
        ),
        Heading("How to get the client ID"),
        Points(
            (
                Point(
                    "In the product, select Connect, and copy the address of Microsoft's page."
                    f" {_FROM_ADDRESS} reads the client ID and the permissions in it."
                ),
                Point(
                    "If the app is in the tenant already: Microsoft Entra admin center > Entra ID > Enterprise apps >"
                    " All applications shows it as Application ID."
                ),
                Point(f"Then run {check}."),
            )
        ),
        *_advice(app.vendor_advice),
        Heading("Sources"),
        *_source("", f"{app.source.what} {app.source.address}", app.source.read),
    )


def page_of_name(app: AppName) -> Document:
    """The page of an app of which only the name and the client id are known."""
    stated = _command(f'check --app {app.client_id} --scopes "SCOPE …"')
    granted = _command(f"packs new --app {app.client_id} --from-grants -o app.yaml")
    kind = "one of Microsoft's own apps" if app.is_microsoft else "an app of which only the client ID is known"
    return (
        Title(_text(app.name)),
        Paragraph(f"This is {kind}: the catalogue doesn't have the permissions that it requests."),
        FactList((("Vendor", Cell(_text(app.vendor) or "not known")), ("Client ID", Cell(app.client_id)))),
        Heading("What to run next"),
        Points(
            (
                Point(f"If its vendor states the permissions: {stated}"),
                Point(f"If you have the address of its sign-in page: {_FROM_ADDRESS}"),
                Point(f"If it works in a tenant, a pack with the permissions that this tenant granted: {granted}"),
            )
        ),
        Heading("Sources"),
        *_source("", f"{app.source.what} {app.source.address}", app.source.read),
    )


# ---- The list -------------------------------------------------------------------------------------------------------


def _list_blocks(
    groups: Sequence[AppGroup], without_id: Sequence[AppWithoutId], by_id_only: Sequence[AppName], links: bool
) -> Iterator[Block]:
    yield Title("The catalogue of apps")
    if links:
        yield Paragraph(
            "Vendors' apps that connect to Microsoft 365, with the permissions that they request and where each fact"
            " comes from. The list doesn't recommend an app, and doesn't say that an app that it lacks is unsafe."
        )
    for group in groups:
        yield Heading(group.title)
        rows = tuple(
            (
                Cell(one.name, f"{one.name}.md" if links else ""),
                Cell(_text(one.title), below=_ways(one)),
                Cell(_text(one.vendor)),
            )
            for one in group.apps
        )
        yield Grid(("Name", "App", "Vendor"), rows, prose=1)
    if without_id:
        yield Heading("Permissions known, client ID not known")
        yield Grid(
            ("App", "Vendor", "Category"),
            tuple((Cell(_text(one.name)), Cell(_text(one.vendor)), Cell(one.category)) for one in without_id),
            prose=0,
        )
    if by_id_only:
        yield Heading("Client ID known, permissions not known")
        yield Grid(
            ("App", "Vendor", "Client ID"),
            tuple((Cell(_text(one.name)), Cell(_text(one.vendor)), Cell(one.client_id)) for one in by_id_only),
            prose=0,
        )
    if groups:
        listed = count(sum(len(group.apps) for group in groups), "app")
        yield Paragraph(
            f"{listed}. About one: {_command('apps show NAME')}. To check one in your tenant:"
            f" {_command('check --app NAME')}, or NAME/WAY for another way to connect."
        )
    else:
        yield Paragraph(f"What you can do without the rest: {_command('apps show NAME')}.")


def _ways(app: CatalogApp) -> str:
    """The ways to connect, if there are several."""
    names = [code(one.name) for one in app.variants]
    return f"Ways to connect: {', '.join(names)}" if len(names) > 1 else ""


# ---- One app --------------------------------------------------------------------------------------------------------


def _app_blocks(pack: Pack) -> Iterator[Block]:
    app = pack.app
    assert app is not None, "a pack about an app"
    yield Title(f"{pack.name}: {_text(pack.title)}")
    if pack.about:
        yield Paragraph(_text(pack.about))
    if not app.variants and (note := note_on(pack)):
        yield Paragraph(_text(note))
    yield FactList(tuple((name, Cell(value)) for name, value in _facts(app) if value))
    yield from _abused(app.client_id)
    yield from _requested(pack, app)
    yield from _needed(app)
    yield from _advice(app.vendor_advice)
    yield from _sources(app)
    yield Heading("What to run next")
    yield Points(tuple(_next(pack, app)))


def _facts(app: App) -> Iterator[tuple[str, str]]:
    yield "Vendor", _text(app.vendor)
    yield "Category", app_categories().get(app.category, app.category)
    yield "Client ID", code(app.client_id)
    verified = {True: "yes", False: "no", None: "not known"}[app.publisher_verified]
    yield (
        "Publisher verified",
        f"{verified} (ID {app.verified_publisher_id})" if app.verified_publisher_id else verified,
    )
    yield "Owner tenant", code(app.owner_tenant) if app.owner_tenant else "not known"
    yield "Requests", _REQUESTS[app.mode.value]
    for uri in app.redirect_uris:
        yield "Redirect URI", code(_text(uri))
    yield "Consent link", code(_text(app.consent_link)) if app.consent_link else ""


def _abused(client_id: str) -> Iterator[Block]:
    """What the list of known abused apps says about the app, if it is in it."""
    known = abused_by_id([shipped_list()]).get(client_id)
    if known is None:
        return
    kind = "a legitimate product that attackers use, too" if known.legitimate else "malicious"
    yield Heading("Known abused app")
    yield Paragraph(_text(f"The list of known abused apps names it: {kind}. {known.why} {known.doubtful}".strip()))
    yield Paragraph(f"To find consents to it in your tenant: {_command('check --pack grants-hygiene')}.")


def _requested(pack: Pack, app: App) -> Iterator[Block]:
    """The permissions, or the ways to connect with the permissions of each."""
    if app.variants:
        yield Heading("Ways to connect")
        name = pack.name.partition("/")[0]
        rows = tuple(
            (Cell(code(f"{name}/{one.name}")), Cell(_text(one.title)), Cell(_listed(one.scopes)))
            for one in app.variants
        )
        yield Grid(("Name", "Way", "Permissions"), rows, prose=2)
        yield Paragraph(f"{code(name)} without a way means the first one.")
    elif app.scopes:
        yield Heading("Permissions")
        yield Grid(("Permission", "Resource", "Needed"), tuple(permission_rows(app.scopes)), prose=1)
    else:
        yield Heading("Permissions")
        yield Paragraph("Its registration lists them, which only its vendor can read.")
    if app.app_roles:
        yield Heading("Application permissions, for work without a user")
        yield Grid(("Permission", "Resource", "Needed"), tuple(permission_rows(app.app_roles)), prose=1)
    if assumed := tuple(_assumed(app)):
        yield Paragraph(f"Assumed, because the vendor doesn't state it: {', '.join(assumed)}.")


def _assumed(app: App) -> Iterator[str]:
    """The permissions that are an assumption: one phrase if all are."""
    scopes = [*app.scopes, *(need for one in app.variants for need in one.scopes)]
    needs = [*scopes, *app.app_roles]
    if needs and all(need.assumed for need in needs):
        yield "the whole list of permissions"
    else:
        yield from dict.fromkeys(code(need.value) for need in needs if need.assumed)


def _listed(scopes: Iterable[ScopeNeed]) -> str:
    """The scopes by resource: ``IMAP.AccessAsUser.All, SMTP.Send on Office 365 Exchange Online; …``."""
    by_resource: dict[str, list[str]] = {}
    for need in scopes:
        optional = "" if need.required else " (optional)"
        by_resource.setdefault(need.resource, []).append(f"{code(need.value)}{optional}")
    return "; ".join(f"{', '.join(names)} on {resource_name(resource)}" for resource, names in by_resource.items())


def _needed(app: App) -> Iterator[Block]:
    if app.also_needs:
        yield Heading("Must be in the tenant first")
    for one in app.also_needs:
        yield Points((Point(_text(f"{one.label} ({one.client_id}){', assumed' if one.assumed else ''}")),))
        yield from _origin(one.source)


def _advice(pieces: Sequence[VendorAdvice]) -> Iterator[Block]:
    if pieces:
        yield Heading("The vendor's advice")
    for one in pieces:
        yield Points(
            (Point(f"The vendor says: {_text(one.says)}"), Point(f"Our judgment: {_text(one.judgement)}")),
        )
        yield from _origin(one.source)


def _origin(source: str) -> Iterator[Block]:
    return _source("", source, "") if source else iter(())


def _sources(app: App) -> Iterator[Block]:
    if app.sources:
        yield Heading("Sources")
    for one in app.sources:
        yield from _source(f"{_claims(one.what)}, " if one.what else "", one.source, one.read)


def _source(claims: str, source: str, read: str) -> Iterator[Block]:
    """A source with its date; an address is a link."""
    when = f"read on {read}" if read else ""
    words = source.split()
    urls = [word for word in words if word.startswith("https://")]
    said = " ".join(word for word in words if word not in urls)
    head = f"{claims}{when}".removesuffix(", ")
    if not head and not said:
        yield Links(tuple(map(safe, urls)))
        return
    text = f"{head[:1].upper()}{head[1:]}: {said}" if head and said else said or head[:1].upper() + head[1:]
    yield Paragraph(_text(f"{text}:" if urls and not text.endswith((".", ":")) else text))
    if urls:
        yield Links(tuple(map(safe, urls)))


def _claims(what: Iterable[str]) -> str:
    return series([_CLAIMS.get(one, one) for one in what])


def _next(pack: Pack, app: App) -> Iterator[Point]:
    reference = pack_reference(pack)
    option = f"--pack {reference}" if reference != pack.name else f"--app {reference}"
    yield Point(f"Can users of your tenant connect it? {_command(f'check {option}')}")
    if len(app.variants) > 1 and "/" not in pack.name:
        yield Point(f"In another way: {_command(f'check {option}/{app.variants[1].name}')}")
    yield Point(f"Try it on a sample tenant: {_command(f'check {option} --sample managed-default')}")
    name = pack.name.partition("/")[0]
    yield Point(f"The rules that are checked: {_command(f'packs show {name}')}")


def _text(text: str) -> str:
    """A text on one line, without characters that could control a terminal."""
    return safe(flat(text))
