"""The types of a pack's YAML file, from which its JSON Schema is generated, and the pack that they describe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, UnsetType

from auditor.checks.kind import CheckKind
from auditor.checks.permission_lists import GUID_PATTERN, resource
from auditor.facts.ids import RESOURCES, app_categories
from auditor.model.decision import ROUTES
from auditor.model.rule import (
    App,
    AppVariant,
    ClaimSource,
    FindingOutcome,
    NeededApp,
    Pack,
    Remediation,
    RequestFault,
    RequestMode,
    RoleNeed,
    Rule,
    RuleCase,
    ScopeNeed,
    Severity,
    VendorAdvice,
)
from auditor.packs.decode_nodes import StrictForm
from auditor.packs.text_conditions import (
    authority,
    category,
    day,
    filled,
    guid,
    link,
    one_line,
    pack_name,
    partner_id,
    redirect_uri,
    route,
    rule_id,
    section,
    variant_name,
    web_address,
)

FORMAT = "consent-auditor/pack"
FORMAT_VERSION = 1

Guid = Annotated[str, Meta(pattern=GUID_PATTERN, extra={"must": guid})]
Line = Annotated[str, Meta(extra={"must": one_line})]
PackName = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", extra={"must": pack_name})]
RuleId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]+([._-][A-Za-z0-9]+)*$", extra={"must": rule_id})]
WebAddress = Annotated[str, Meta(pattern="^[A-Za-z][A-Za-z0-9+.-]*:", extra={"must": web_address})]
RedirectUri = Annotated[str, Meta(pattern="^[A-Za-z][A-Za-z0-9+.-]*:", extra={"must": redirect_uri})]
Authority = Annotated[str, Meta(extra={"must": authority})]
CloudName = Literal["global", "us-gov", "us-gov-dod", "china"]
Resource = Annotated[str, Meta(extra={"must": resource})]
Route = Annotated[str, Meta(extra={"must": route}, extra_json_schema={"enum": list(ROUTES)})]
Filled = Annotated[str, Meta(extra={"must": filled})]
Link = Annotated[str, Meta(extra={"must": link})]
Section = Annotated[str, Meta(extra={"must": section})]
Category = Annotated[str, Meta(extra={"must": category}, extra_json_schema={"enum": list(app_categories())})]
VariantName = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", extra={"must": variant_name})]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", extra={"must": day})]
PartnerId = Annotated[str, Meta(pattern="^[0-9]+$", extra={"must": partner_id})]
Claim = Literal[
    "client-id", "scopes", "request", "redirect-uris", "publisher", "consent-link", "also-needs", "app-roles"
]
Unknown = Literal["unknown"]


class ScopeForm(StrictForm, frozen=True, kw_only=True):
    """One delegated permission with details."""

    noun: ClassVar[str] = "a scope"
    scope: Annotated[str, Meta(description="Its name, as in Mail.Read.")]
    required: Annotated[bool, Meta(description="Whether the product needs it.")] = True
    assumed: bool | UnsetType = UNSET
    source: str | UnsetType = UNSET


class RoleForm(StrictForm, frozen=True, kw_only=True):
    """One application permission with details."""

    noun: ClassVar[str] = "an app role"
    role: Annotated[str, Meta(description="Its name, as in Mail.Read, or its id.")]
    required: Annotated[bool, Meta(description="Whether the product needs it.")] = True
    assumed: bool | UnsetType = UNSET
    source: str | UnsetType = UNSET


class FaultForm(StrictForm, frozen=True, kw_only=True):
    """A mistake in the request, which Entra refuses before it asks anybody."""

    noun: ClassVar[str] = "a fault"
    code: Annotated[Line, Meta(description="The error, as in AADSTS90023.")]
    because: Annotated[Line, Meta(description="What is wrong, as part of a sentence.")]
    caveat: Annotated[str, Meta(description="Why that isn't certain.")] = ""


class NeededAppForm(StrictForm, frozen=True, kw_only=True):
    """Another app that must be in the tenant first."""

    noun: ClassVar[str] = "a needed app"
    client_id: Guid
    name: Line
    assumed: Annotated[bool, Meta(description="The vendor doesn't say in writing that the app is needed.")] = False
    source: Annotated[str, Meta(description="Where it says that the app is needed.")] = ""


class VendorAdviceForm(StrictForm, frozen=True, kw_only=True):
    """What the vendor advises administrators to do, and a judgement of it."""

    noun: ClassVar[str] = "a piece of the vendor's advice"
    says: Annotated[str, Meta(description="The advice in your own words, in full sentences.")]
    judgement: Annotated[str, Meta(description="Whether to follow it, and what to do instead, in full sentences.")]
    source: Annotated[str, Meta(description="Where the vendor says it.")] = ""


class SourceForm(StrictForm, frozen=True, kw_only=True):
    """A source of claims about the app."""

    noun: ClassVar[str] = "a source"
    what: Annotated[Claim | tuple[Claim, ...], Meta(description="What it says. Without this key, everything.")] = ()
    source: Annotated[Line, Meta(description="A web address, or a repository's file and commit.")]
    read: Annotated[Day, Meta(description="The day on which somebody read it, in quotes.")]


class VariantForm(StrictForm, frozen=True, kw_only=True):
    """A way in which the app connects, with its own scopes."""

    noun: ClassVar[str] = "a variant"
    name: Annotated[VariantName, Meta(description="Follows the pack's name: thunderbird/imap.")]
    title: Annotated[Line, Meta(description="Its name for people, as in IMAP and SMTP.")]
    scopes: dict[Resource, tuple[str | ScopeForm, ...]] = {}
    redirect_uris: Annotated[tuple[RedirectUri, ...], Meta(description="Default: those of the app.")] = ()
    request: Annotated[RequestMode | UnsetType, Meta(description="Default: that of the app.")] = UNSET


class AppForm(StrictForm, frozen=True, kw_only=True):
    """The vendor's app."""

    noun: ClassVar[str] = "the app"
    name: Line
    vendor: Annotated[Line, Meta(description="The company or project that publishes the app.")] = ""
    category: Annotated[Category, Meta(description="What the app is for.")] = ""
    client_id: Guid
    redirect_uris: tuple[RedirectUri, ...] = ()
    request: RequestMode = RequestMode.DYNAMIC
    prompt_consent: Annotated[bool, Meta(description="The app asks with prompt=consent.")] = False
    prompt: Annotated[Literal["", "none", "admin_consent"], Meta(description="Another prompt of its requests.")] = ""
    default_resources: Annotated[
        tuple[Resource, ...], Meta(description="With request: default or registered, the APIs that it names.")
    ] = ()
    sends_no_redirect_uri: Annotated[bool, Meta(description="Its requests name no redirect URI.")] = False
    faults: Annotated[tuple[FaultForm, ...], Meta(description="What Entra refuses in its requests.")] = ()
    clouds: Annotated[tuple[CloudName, ...], Meta(description="The clouds of the host that its requests go to.")] = ()
    authority: Annotated[Authority, Meta(description="organizations, common, a tenant id or a domain.")] = ""
    publisher_verified: bool | Unknown = "unknown"
    verified_publisher_id: Annotated[
        PartnerId, Meta(description="Partner id of the verified publisher, in quotes. Implies publisher-verified.")
    ] = ""
    owner_tenant: Unknown | Guid = "unknown"
    registered_before_2020_11_08: bool | Unknown = "unknown"
    assumed: Annotated[bool, Meta(description="The list of scopes is an assumption; a scope may override this.")] = (
        False
    )
    source: Annotated[
        str | tuple[SourceForm, ...], Meta(description="Where the scopes come from, or the sources of all claims.")
    ] = ""
    also_needs: Annotated[
        tuple[NeededAppForm, ...],
        Meta(description="Other apps that must be in the tenant first, such as the vendor's own API, in their order."),
    ] = ()
    vendor_advice: Annotated[
        tuple[VendorAdviceForm, ...],
        Meta(description="What the vendor advises administrators to do, with a judgement that reports show."),
    ] = ()
    consent_link: Annotated[WebAddress, Meta(description="The vendor's own link for admin consent.")] = ""
    scopes: dict[Resource, tuple[str | ScopeForm, ...]] = {}
    app_roles: Annotated[
        dict[Resource, tuple[str | RoleForm, ...]],
        Meta(description="Application permissions, with which the app acts without a user, by resource."),
    ] = {}
    variants: Annotated[
        tuple[VariantForm, ...], Meta(description="Instead of scopes: ways to connect, the usual one first.")
    ] = ()


class FixForm(StrictForm, frozen=True, kw_only=True):
    """What an administrator should do."""

    noun: ClassVar[str] = "a fix"
    portal: Annotated[tuple[Filled, ...], Meta(description="The path of clicks, one entry for each.")] = ()
    link: Link = ""
    role: Annotated[Filled, Meta(description="The least privileged role that can do it.")] = ""
    note: Filled = ""


class CaseForm(StrictForm, frozen=True, kw_only=True):
    """A small tenant and the outcome that the rule must have for it."""

    noun: ClassVar[str] = "a case"
    name: Line
    sample: Annotated[Line, Meta(description="The sample tenant to start from.")]
    expect: Literal["fail", "pass", "unknown", "not-applicable"]
    set: Annotated[dict[str, Any], Meta(description="Changes to the sections, as a JSON merge patch.")] = {}
    unread: Annotated[tuple[Section, ...], Meta(description="Sections, or section/part, that were not read.")] = ()
    whole: Annotated[tuple[Section, ...], Meta(description="Sections that count as read directory-wide.")] = ()
    app_roles: Annotated[
        dict[Resource, tuple[str, ...]] | UnsetType,
        Meta(description="Application permissions that the pack's app requires in this case, by resource."),
    ] = UNSET
    reason: Annotated[str, Meta(description="Text that the finding's reason must contain.")] = ""
    evidence: Annotated[
        tuple[str, ...], Meta(description="Texts that paths of the finding's evidence must contain.")
    ] = ()


class RuleForm(StrictForm, frozen=True, kw_only=True):
    """One expectation."""

    noun: ClassVar[str] = "a rule"
    id: Annotated[RuleId, Meta(description="Never changes meaning: a new meaning needs a new id.")]
    title: Line
    severity: Severity
    why: Annotated[str, Meta(description="Why it matters if the rule fails, in plain words.")]
    view: Annotated[str, Meta(description="Whose view this is, and who disagrees; shown next to the finding.")] = ""
    check: CheckKind
    fix: FixForm = FixForm()
    routes: Annotated[tuple[Route, ...], Meta(description="The routes whose fixes make the rule pass.")] = ()
    references: tuple[WebAddress, ...] = ()
    frameworks: Annotated[dict[str, Line], Meta(description="Controls that require it.")] = {}
    cases: tuple[CaseForm, ...] = ()


class PackForm(StrictForm, frozen=True, kw_only=True):
    """A pack of rules."""

    noun: ClassVar[str] = "a pack"
    format: Literal["consent-auditor/pack"]
    format_version: Literal[1]
    pack: PackName
    version: Annotated[Line, Meta(description="The version of the pack, in quotes.")]
    title: Line
    about: str = ""
    extends: Annotated[Line, Meta(description="A shipped pack by name, or a file next to this one.")] = ""
    abstract: Annotated[bool, Meta(description="Only for other packs to extend: it has no tenant to check.")] = False
    references: tuple[WebAddress, ...] = ()
    app: AppForm | UnsetType = UNSET
    rules: Annotated[tuple[RuleForm, ...], Meta(min_length=1)]


def pack_of(form: PackForm, digest: str, origin: str, warnings: tuple[str, ...] = ()) -> Pack:
    """The pack that the form describes."""
    return Pack(
        name=form.pack,
        version=form.version,
        title=form.title,
        about=form.about,
        extends=form.extends,
        abstract=form.abstract,
        app=None if isinstance(form.app, UnsetType) else app_of(form.app),
        rules=tuple(map(rule_of, form.rules)),
        references=form.references,
        digest=digest,
        origin=origin,
        warnings=warnings,
    )


def app_of(form: AppForm) -> App:
    """The app; ``None`` for facts that the pack calls unknown."""
    variants = tuple(_variant(one, form) for one in form.variants)
    usual = variants[0] if variants else None
    verified = _known(form.publisher_verified)
    return App(
        client_id=form.client_id.lower(),
        name=form.name,
        vendor=form.vendor,
        category=form.category,
        redirect_uris=usual.redirect_uris if usual else form.redirect_uris,
        mode=usual.mode if usual else form.request,
        prompt_consent=form.prompt_consent,
        prompt=form.prompt,
        default_resources=tuple(RESOURCES.get(one, one.lower()) for one in form.default_resources),
        sends_no_redirect_uri=form.sends_no_redirect_uri,
        faults=tuple(RequestFault(code=one.code, because=one.because, caveat=one.caveat) for one in form.faults),
        clouds=form.clouds,
        authority=form.authority,
        scopes=usual.scopes if usual else tuple(_scopes(form.scopes, form)),
        app_roles=tuple(_roles(form)),
        publisher_verified=True if verified is None and form.verified_publisher_id else verified,
        verified_publisher_id=form.verified_publisher_id,
        owner_tenant=None if form.owner_tenant == "unknown" else form.owner_tenant.lower(),
        registered_before_2020_11_08=_known(form.registered_before_2020_11_08),
        also_needs=tuple(
            NeededApp(client_id=one.client_id.lower(), name=one.name, assumed=one.assumed, source=one.source)
            for one in form.also_needs
        ),
        vendor_advice=tuple(
            VendorAdvice(says=one.says, judgement=one.judgement, source=one.source) for one in form.vendor_advice
        ),
        consent_link=form.consent_link,
        variants=variants,
        sources=tuple(_sources(form)),
    )


def rule_of(form: RuleForm) -> Rule:
    """The rule."""
    return Rule(
        id=form.id,
        title=form.title,
        severity=form.severity,
        why=form.why,
        view=form.view,
        check=form.check,
        fix=_fix(form.fix),
        routes=form.routes,
        references=form.references,
        frameworks=form.frameworks,
        cases=tuple(map(_case, form.cases)),
    )


def _variant(form: VariantForm, app: AppForm) -> AppVariant:
    return AppVariant(
        name=form.name,
        title=form.title,
        scopes=tuple(_scopes(form.scopes, app)),
        redirect_uris=form.redirect_uris or app.redirect_uris,
        mode=app.request if isinstance(form.request, UnsetType) else form.request,
    )


def _sources(app: AppForm) -> Iterator[ClaimSource]:
    """The sources of the app; one that is only a text is about its scopes."""
    if isinstance(app.source, str):
        if app.source:
            yield ClaimSource(what=("scopes",), source=app.source)
        return
    for one in app.source:
        yield ClaimSource(what=(one.what,) if isinstance(one.what, str) else one.what, source=one.source, read=one.read)


def _scopes(listed_by_resource: Mapping[str, tuple[str | ScopeForm, ...]], app: AppForm) -> Iterator[ScopeNeed]:
    for key, listed in listed_by_resource.items():
        for item in listed:
            one = ScopeForm(scope=item) if isinstance(item, str) else item
            assumed, source = _cited(one, app, "scopes")
            resource = RESOURCES.get(key, key.lower())
            yield ScopeNeed(resource=resource, value=one.scope, required=one.required, assumed=assumed, source=source)


def _roles(app: AppForm) -> Iterator[RoleNeed]:
    for key, listed in app.app_roles.items():
        for item in listed:
            one = RoleForm(role=item) if isinstance(item, str) else item
            assumed, source = _cited(one, app, "app-roles")
            resource = RESOURCES.get(key, key.lower())
            yield RoleNeed(resource=resource, value=one.role, required=one.required, assumed=assumed, source=source)


def _cited(one: ScopeForm | RoleForm, app: AppForm, claim: str) -> tuple[bool, str]:
    """Whether a permission is an assumption, and its source: its own, or that of the app's claims."""
    of_app = "; ".join(each.cited for each in _sources(app) if not each.what or claim in each.what)
    assumed = app.assumed if one.assumed is UNSET else bool(one.assumed)
    return assumed, of_app if one.source is UNSET else str(one.source)


def _known(value: bool | Literal["unknown"]) -> bool | None:
    return None if value == "unknown" else bool(value)


def _fix(form: FixForm) -> Remediation:
    return Remediation(portal=form.portal, link=form.link, role=form.role, note=form.note)


def _case(form: CaseForm) -> RuleCase:
    return RuleCase(
        name=form.name,
        sample=form.sample,
        expect=FindingOutcome(form.expect),
        set=form.set,
        unread=form.unread,
        whole=form.whole,
        app_roles=None if isinstance(form.app_roles, UnsetType) else tuple(_required_roles(form.app_roles)),
        reason=form.reason,
        evidence=form.evidence,
    )


def _required_roles(by_resource: Mapping[str, tuple[str, ...]]) -> Iterator[RoleNeed]:
    for key, names in by_resource.items():
        yield from (RoleNeed(resource=RESOURCES.get(key, key.lower()), value=name) for name in names)
