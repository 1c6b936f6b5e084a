"""Ids, names and addresses that are the same in every tenant: of resources, policies, roles, clouds and settings.

Sources of the constants: the Microsoft Graph permissions reference, the Entra built-in roles reference, and "Manage app
consent policies" of the Entra documentation. ``clouds.json`` has the addresses of each cloud's sign-in, Microsoft Graph
and admin center. ``resource_addresses.json`` has the addresses by which requests name Microsoft's own APIs, in every
cloud; a tenant lists them as ``servicePrincipalNames`` of the API's service principal, and the table is for tenants
whose snapshot lacks them. ``settings.json`` has the settings that checks are about, with their names for people:
`auditor.checks` says which of them each kind of check is about, and a check on a property of a snapshot takes it from
the path of the property. A section that the file doesn't name is a setting under its own label. ``portal_pages.json``
has the addresses that open the pages of the admin center, and the pages for which Microsoft publishes none. All files
name their sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from auditor.facts import load_table
from auditor.model.rule import App, PortalLink, Setting

MICROSOFT_GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
SHAREPOINT_ONLINE = "00000003-0000-0ff1-ce00-000000000000"
POWER_BI = "00000009-0000-0000-c000-000000000000"
DATAVERSE = "00000007-0000-0000-c000-000000000000"
POWER_APPS = "475226c6-020e-4fb2-8a90-7a972cbfc1d4"
POWER_AUTOMATE = "7df0a125-d3be-4c96-aa54-591f83ff541c"

RESOURCE_NAMES = MappingProxyType(
    {
        MICROSOFT_GRAPH: "Microsoft Graph",
        EXCHANGE_ONLINE: "Office 365 Exchange Online",
        SHAREPOINT_ONLINE: "Office 365 SharePoint Online",
        POWER_BI: "Power BI Service",
        DATAVERSE: "Dataverse",
        POWER_APPS: "PowerApps Service",
        POWER_AUTOMATE: "Microsoft Flow Service",
    }
)
"""The Microsoft resources whose scopes rules refer to, with their names in Entra."""

RESOURCES = MappingProxyType(
    {
        "microsoft-graph": MICROSOFT_GRAPH,
        "exchange-online": EXCHANGE_ONLINE,
        "sharepoint-online": SHAREPOINT_ONLINE,
        "power-bi": POWER_BI,
        "dataverse": DATAVERSE,
        "power-apps": POWER_APPS,
        "power-automate": POWER_AUTOMATE,
    }
)
"""The names of these resources in packs and permission lists; other resources are named by app id."""

MAILBOX_RESOURCES = (MICROSOFT_GRAPH, EXCHANGE_ONLINE)
"""The resources whose scopes give access to mailboxes; their scopes are published."""

OPENID_ORDER = ("openid", "profile", "email", "offline_access")
"""The scopes of a sign-in, in their usual order."""

OPENID_SCOPES = frozenset(OPENID_ORDER)
"""OpenID Connect scopes; Microsoft Graph's service principal publishes all four."""

BASIC_SCOPES = OPENID_SCOPES | {"user.read"}
"""Sign-in and the user's own profile, in lower case: scopes that don't make a request risky."""

MICROSOFT_TENANTS = frozenset({"f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"})
"""The tenants in which Microsoft registers its own apps ("Verify first-party Microsoft applications")."""

APPS_OF_THIS_TENANT = frozenset({"managedidentity", "legacy"})
"""The types of service principals without a registration, which work in their own tenant only, in lower case."""

FALSE_SEPARATORS = MappingProxyType({",": "commas", ";": "semicolons", "+": "plus signs", "|": "vertical bars"})
"""Signs by which other providers separate scopes, with their names; Entra takes spaces only (RFC 6749, 3.3)."""

NO_ID = "00000000-0000-0000-0000-000000000000"
"""An id that no app and no tenant has."""

_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


def is_guid(text: str) -> bool:
    """Whether `text` is a GUID in its usual form."""
    return _GUID.fullmatch(text) is not None


ASSIGNED_FOR_SELF = "ManagePermissionGrantsForSelf"
"""Prefix, before a dot and the id, of an assigned policy by which users consent for themselves."""
FOR_SELF = ASSIGNED_FOR_SELF.lower()
"""The same in lower case."""
FOR_ALL = "managepermissiongrantsforall"
FOR_OWNED_RESOURCE = "managepermissiongrantsforownedresource"
"""The prefix, in lower case, of an assigned policy for the owners of groups, teams and chats."""

MICROSOFTS_POLICIES = "microsoft-"
"""How the ids of Microsoft's own consent policies begin; no tenant can give such an id."""
POLICY_LEGACY = "microsoft-user-default-legacy"
POLICY_LOW = "microsoft-user-default-low"
POLICY_RECOMMENDED = "microsoft-user-default-recommended"
POLICY_MAIL_CLIENTS = "microsoft-user-default-allow-consent-apps"

GUEST_ROLE = "10dae51f-b6af-4016-8d66-8c2a99b929b3"
GUEST_ROLE_RESTRICTED = "2af84b1e-32c8-42b7-82bc-daa82404023b"
GUEST_ROLE_AS_MEMBER = "a0b1b346-4d3e-4e8b-98f8-753987be4970"
"""The values of ``guestUserRoleId``: what guests can do in the directory."""

ROLE_GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
ROLE_PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814"
ROLE_APPLICATION_ADMINISTRATOR = "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
ROLE_CLOUD_APPLICATION_ADMINISTRATOR = "158c047a-c907-4556-b7ef-446551a6b5f7"

CONSENT_SETTINGS_TEMPLATE = "dffd5d46-495d-40a9-8e21-954ff55e198a"
"""Template of the directory settings object "Consent Policy Settings"."""
EMPTY_BY_DEFAULT = frozenset({"constraingroupspecificconsenttomembersofgroupid"})
"""Directory settings for which no value is a value ("groupSetting: templates"): the template's default is empty."""


REDACTED_GUID = "ffffffff-?[0-9a-f]{4}-?8[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}"
"""A GUID that replaces another one in a redacted file: version 8 ("custom", RFC 9562), which Microsoft doesn't use."""
_REDACTED_TENANT = re.compile(rf"{REDACTED_GUID}|(?:tenant|host)-[0-9a-f]{{10}}\.example|(?:id|other)-[0-9a-f]{{10}}")


def is_redacted_tenant(text: str) -> bool:
    """Whether a tenant's id or domain was replaced by redaction, so that nobody can sign in to it."""
    return _REDACTED_TENANT.fullmatch(text) is not None


TENANT_PLACEHOLDER = "{tenant-id}"
"""In a consent link, in place of a tenant that isn't known or is redacted. The administrator replaces it."""
FILL_IN_TENANT = (
    f"Replace {TENANT_PLACEHOLDER} in the link with the tenant ID, which the Entra admin center shows under Entra ID >"
    " Overview."
)


class Cloud(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses of one cloud, without trailing slashes, and its names in tools.

    `exchange` is the host by which scopes name Exchange Online. `mg_environment` is the cloud's name in Microsoft Graph
    PowerShell and `az_cloud` the one in the Azure CLI; both are empty for the cloud that these tools use by default.
    """

    name: str
    authority: str
    graph: str
    portal: str
    exchange: str
    mg_environment: str = ""
    az_cloud: str = ""
    verifies_publishers: bool = True
    """Whether apps can have a verified publisher ("Publisher verification", limitations)."""

    @property
    def is_national(self) -> bool:
        """Whether it is apart from Microsoft's global cloud, with separate app registrations."""
        return bool(self.az_cloud)


class _CloudTable(msgspec.Struct, frozen=True):
    source: str
    clouds: tuple[Cloud, ...]


CLOUDS: Mapping[str, Cloud] = MappingProxyType(
    {cloud.name: cloud for cloud in load_table("clouds", _CloudTable).clouds}
)
"""The clouds by the name that ``--cloud`` accepts."""


def cloud_named(name: str) -> Cloud:
    """The cloud with this name; Microsoft's global cloud for a name that this version doesn't know."""
    return CLOUDS.get(name, CLOUDS["global"])


CONSENT_RETURN = "https://entra.microsoft.com/TokenAuthorize"
"""Where a browser goes after admin consent, if the app's owner has no page for that: a blank page of Microsoft's.

Source: Microsoft Entra Agent ID, "Request admin consent", which has agents use it. An app must register it.
"""

ADMIN_CENTER = "https://entra.microsoft.com"
"""The Entra admin center. The other clouds have only an Azure portal, whose addresses differ."""

PATH_SEPARATOR = " > "
"""Between the parts of a path to click along."""


class PageAddress(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a page's address after ``#``, where Microsoft publishes it, and the day on which that was read."""

    fragment: str
    source: str
    date: str


class PortalPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page by what to click on, and its address in each kind of portal, if Microsoft publishes it."""

    path: tuple[str, ...]
    admin_center: PageAddress | None = None
    azure_portal: PageAddress | None = None


class PageWithoutLink(msgspec.Struct, frozen=True, kw_only=True):
    """A page that rules or fixes name and that has no known address."""

    path: tuple[str, ...]
    why: str


class _PageTable(msgspec.Struct, frozen=True):
    source: str
    pages: tuple[PortalPage, ...]
    without_link: tuple[PageWithoutLink, ...]


_PAGES = load_table("portal_pages", _PageTable)
PORTAL_PAGES = _PAGES.pages
PAGES_WITHOUT_LINK = _PAGES.without_link


def portal_links(
    steps: Iterable[str], cloud: str, *, app: str = "", object_id: str = "", client_id: str = ""
) -> tuple[PortalLink, ...]:
    """The pages of the cloud's portal that the steps name, with their addresses, each page once.

    `steps` are sentences that contain a path, or the parts of one path. The page of the app called `app` needs both
    its IDs; without them the path has no link. A page whose address Microsoft doesn't publish has none either.
    """
    text = PATH_SEPARATOR.join(" ".join(step.split()) for step in steps)
    has_ids = bool(app) and is_guid(object_id) and is_guid(client_id)
    ids = {"{object-id}": object_id, "{client-id}": client_id} if has_ids else {}
    return tuple(link for page in PORTAL_PAGES for link in _page_links(page, text, cloud, " ".join(app.split()), ids))


def _page_links(page: PortalPage, text: str, cloud: str, app: str, ids: dict[str, str]) -> Iterator[PortalLink]:
    portal = cloud_named(cloud).portal
    address = page.admin_center if portal == ADMIN_CENTER else page.azure_portal
    if address is None or ("{app}" in page.path and not ids):
        return
    path = PATH_SEPARATOR.join((portal, *(app if part == "{app}" else part for part in page.path)))
    if re.search(rf"{re.escape(path)}(?={PATH_SEPARATOR}|\.(?:\s|$)|$)", text):
        fragment = address.fragment
        for placeholder, value in ids.items():
            fragment = fragment.replace(placeholder, value)
        yield PortalLink(path=path, address=f"{portal}/#{fragment}")


class _Resource(msgspec.Struct, frozen=True):
    """One API. `hosts` are hosts of the tenant's own: ``*`` is its name, ``N`` the number of a region."""

    app_id: str
    name: str
    addresses: tuple[str, ...]
    hosts: tuple[str, ...] = ()


class _ResourceTable(msgspec.Struct, frozen=True):
    source: str
    resources: tuple[_Resource, ...]


@cache
def _resources() -> tuple[_Resource, ...]:
    return load_table("resource_addresses", _ResourceTable).resources


@cache
def known_resource_names() -> Mapping[str, str]:
    """The names of Microsoft's APIs in Entra, by app id."""
    return MappingProxyType({one.app_id: one.name for one in _resources()})


def resource_at(address: str) -> str:
    """The app id of the API with this identifier URI; empty if it isn't one of Microsoft's.

    Letter case, a slash at the end and the port 443 don't matter: Exchange Online lists
    ``https://outlook.office365.com:443/`` separately.
    """
    sought = re.sub(r"^(https://[^/]+):443(?=/|$)", r"\1", address.lower().rstrip("/"))
    if found := _app_ids().get(sought):
        return found
    scheme, _, host = sought.partition("//")
    if scheme != "https:":
        return ""
    return next((app_id for pattern, app_id in _host_patterns() if pattern.fullmatch(host)), "")


@cache
def _app_ids() -> Mapping[str, str]:
    return {address: one.app_id for one in _resources() for address in one.addresses}


@cache
def _host_patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((_host_pattern(host), one.app_id) for one in _resources() for host in one.hosts)


def _host_pattern(host: str) -> re.Pattern[str]:
    """``*`` is one or two labels: Dataverse also answers at ``ORG.api.crm4.dynamics.com``."""
    named = re.escape(host).replace(r"\*", r"[a-z0-9-]+(\.[a-z0-9-]+)?").replace("N", r"[0-9]+")
    return re.compile(named)


class _CategoryTable(msgspec.Struct, frozen=True):
    source: str
    categories: dict[str, str]


@cache
def app_categories() -> Mapping[str, str]:
    """The categories of apps in the catalogue: their ids, in the order of lists, and their names for people."""
    return MappingProxyType(load_table("app_categories", _CategoryTable).categories)


_APP = "{app}"
"""The placeholder in the label of a setting of one app."""


class _SettingRow(msgspec.Struct, frozen=True):
    """A setting; `paths` are the properties of a snapshot that hold it, with everything below them.

    A label with the placeholder ``{app}`` is about one app. What `is_several` is not one setting but many objects or
    values under one name, which no single change makes right.
    """

    id: str
    label: str
    paths: tuple[str, ...] = ()
    is_several: bool = False


class _SettingTable(msgspec.Struct, frozen=True):
    source: str
    read: str
    settings: tuple[_SettingRow, ...]


@cache
def _settings() -> Mapping[str, _SettingRow]:
    """The settings of the table, and one for each section that the table doesn't name."""
    from auditor.model.sections import SECTIONS  # which imports this module

    listed = load_table("settings", _SettingTable).settings
    paths = {path for row in listed for path in row.paths}
    others = (_setting_of_section(name, one.label) for name, one in SECTIONS.items() if name not in paths)
    return MappingProxyType({row.id: row for row in (*listed, *others)})


def _setting_of_section(name: str, label: str) -> _SettingRow:
    """A section as a setting: ``userFlows`` with the label "The user flows" is ``user-flows``, "User flows"."""
    id = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
    shown = label.removeprefix("The ") or name
    return _SettingRow(id=id, label=shown[:1].upper() + shown[1:], paths=(name,), is_several=True)


@cache
def _settings_by_path() -> Mapping[str, str]:
    return MappingProxyType({path: row.id for row in _settings().values() for path in row.paths})


def setting_named(id: str, app: App | None = None) -> Setting:
    """The setting with this id; one that is about an app has the app's client id in its own id.

    Raises KeyError for an id that isn't in the table, and LookupError where the setting needs an app.
    """
    row = _settings()[id]
    if _APP not in row.label:
        return Setting(id=row.id, label=row.label)
    if app is None:
        raise LookupError(f"the setting {id} is about an app")
    return Setting(id=f"{row.id}/{app.client_id.lower()}", label=row.label.replace(_APP, app.label))


def setting_at(path: str) -> Setting:
    """The setting that the property at this path of a snapshot holds, or that the nearest property above it holds.

    Raises KeyError for a path that doesn't start with a section of a snapshot.
    """
    known = _settings_by_path()
    while path not in known and "." in path:
        path = path.rpartition(".")[0]
    return setting_named(known[path])


def is_one_setting(setting: Setting) -> bool:
    """Whether one change can make every check on the setting pass; also true for a setting that isn't in the table."""
    row = _settings().get(setting.id.partition("/")[0])
    return row is None or not row.is_several
