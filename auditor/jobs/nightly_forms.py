"""The YAML format of a nightly configuration: its types, from which the JSON Schema is generated.

First the conditions on single texts: each returns why a text is invalid, or None. None of them quotes a text that can
be a secret.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, UnsetType

from auditor.checks.kind import Invalid, alternatives
from auditor.checks.typo_suggestions import nearest
from auditor.facts.ids import CLOUDS, is_guid
from auditor.model.configuration import Event, OnboardingSettings
from auditor.model.document import ENDS_SOON_DAYS
from auditor.model.host_names import InvalidAddress, https_endpoint
from auditor.model.rule import Severity
from auditor.model.snapshot import AUTH_METHODS
from auditor.packs.decode_nodes import StrictForm
from auditor.packs.forms import Line
from auditor.render import FORMATS

NEVER = "never"
SOURCES = ("tenant", "snapshot", "csv", "snapshots", "gdap", "contracts")
"""The keys of which an entry of tenants has one."""
UNATTENDED = tuple(method for method in AUTH_METHODS if method != "device-code")
"""The ways to sign in that need no person."""
VAULT_HOSTS = (".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net")
"""The hosts of Azure Key Vault (Microsoft Learn, "Azure Key Vault DNS suffixes"). No other host gets a token."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_CREDENTIAL_NAME = re.compile(r"[A-Za-z0-9._-]{1,255}")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_NOT_IN_A_FOLDER = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


def seconds_of(text: str) -> float | None:
    """The seconds of a length of time such as ``90s``, ``10m``, ``24h`` or ``7d``; none for another text."""
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text.strip().lower())
    return float(int(found[1]) * _SECONDS[found[2]]) if found and int(found[1]) else None


def length_of_time(text: str) -> Invalid | None:
    """A length of time with its unit."""
    if seconds_of(text):
        return None
    return Invalid(f'"{text[:40]}" isn\'t a length of time', "a number with s, m, h or d, as in 90s, 24h or 7d")


def time_or_never(text: str) -> Invalid | None:
    """A length of time, or ``never``."""
    return None if text == NEVER else length_of_time(text)


def minute_of(text: str) -> int | None:
    """The minutes after midnight of a time of day such as ``02:00``; none for another text."""
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", text.strip())
    return int(found[1]) * 60 + int(found[2]) if found else None


def time_of_day(text: str) -> Invalid | None:
    """A time of day with hours and minutes."""
    if minute_of(text) is not None:
        return None
    return Invalid(f'"{text[:40]}" isn\'t a time of day', 'hours and minutes in UTC and in quotes, as in "02:00"')


def one_of(*names: str) -> Any:
    """The condition that a text is one of `names`, and the same for the schema."""

    def must(text: str) -> Invalid | None:
        if text in names:
            return None
        return Invalid(f'"{text[:80]}" is unknown', alternatives(names), nearest(text, names))

    return Meta(extra={"must": must}, extra_json_schema={"enum": list(names)})


def variable(text: str) -> Invalid | None:
    """The name of an environment variable. Not quoted in the error: a secret may have been written in its place."""
    if _VARIABLE.fullmatch(text):
        return None
    return Invalid("isn't the name of an environment variable", "letters, digits and underscores, as in AUDIT_SECRET")


def credential_name(text: str) -> Invalid | None:
    """The name of a credential of systemd."""
    if _CREDENTIAL_NAME.fullmatch(text) and text not in (".", ".."):
        return None
    return Invalid("isn't the name of a systemd credential", "the name in LoadCredential=NAME:PATH")


def vault_secret(text: str) -> Invalid | None:
    """The address of a secret in Azure Key Vault."""
    wanted = "https://VAULT.vault.azure.net/secrets/NAME"
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return Invalid("isn't the address of a secret in Azure Key Vault", wanted)
    path = re.fullmatch(r"/secrets/[A-Za-z0-9-]{1,127}(/[A-Za-z0-9]{1,64})?/?", parts.path)
    is_plain = parts.scheme == "https" and port in (None, 443) and not (parts.query or parts.fragment or "@" in text)
    if is_plain and path and any(host.endswith(suffix) and host != suffix[1:] for suffix in VAULT_HOSTS):
        return None
    return Invalid("isn't the address of a secret in Azure Key Vault", wanted)


def endpoint(text: str) -> Invalid | None:
    """The address of a host. Not quoted in the error: it may contain a password."""
    try:
        https_endpoint(text)
    except InvalidAddress as error:
        return Invalid(f"isn't an address: it {error}", "https://HOST or https://HOST:PORT")
    return None


def redirect_uri(text: str) -> Invalid | None:
    """A redirect URI of a web app (Microsoft identity platform, "Redirect URI restrictions and limitations")."""
    try:
        parts = urlsplit(text)
        scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    except ValueError:
        scheme = host = ""
    is_web = scheme == "https" or (scheme == "http" and host == "localhost")
    if is_web and host and len(text) <= 256 and not re.search(r"[\s*#<>\"'@]", text) and text.isascii():
        return None
    return Invalid("isn't a redirect URI of a web app", "an https:// address of at most 256 characters, without * or #")


def folder_name(text: str) -> Invalid | None:
    """A tenant's name, which is also the name of its folder of reports, on every system."""
    shown = text[:80]
    if bad := _NOT_IN_A_FOLDER.search(text):
        return Invalid(f'"{shown}" contains {bad.group()!r}, which the name of a folder can\'t contain', "another name")
    if len(text.encode()) > 120:
        return Invalid("is longer than 120 bytes, which is too long for a folder", "a shorter name")
    if text.startswith(".") or text.endswith((".", " ")) or _RESERVED.fullmatch(text):
        return Invalid(f'"{shown}" can\'t be the name of a folder on every system', "another name")
    return None


def live_tenant(text: str) -> Invalid | None:
    """The id or a domain of a tenant."""
    if is_guid(text) or _DOMAIN.fullmatch(text):
        return None
    return Invalid(f'"{text[:80]}" isn\'t a tenant', "the tenant's ID, or a domain such as contoso.onmicrosoft.com")


def tag(text: str) -> Invalid | None:
    """A tag: in a customer list, spaces and semicolons separate them."""
    if not re.search(r"[\s,;]", text):
        return None
    return Invalid(f'"{text[:80]}" contains a space, a comma or a semicolon', "one word, as in gold")


Text = Annotated[str, Meta(min_length=1)]
Time = Annotated[str, Meta(extra={"must": length_of_time}, pattern="^[0-9]+[smhd]$")]
Address = Annotated[str, Meta(extra={"must": endpoint})]
Name = Annotated[str, Meta(extra={"must": folder_name})]
Tag = Annotated[str, Meta(extra={"must": tag})]
ReportFormat = Annotated[str, one_of(*FORMATS)]
AttachedFormat = Annotated[str, one_of(*(name for name, form in FORMATS.items() if not form.tables))]
"""A message takes one file, and CSV is one for each table."""


class SecretForm(StrictForm, frozen=True, kw_only=True):
    """Where a secret is. Exactly one of the keys."""

    noun: ClassVar[str] = "a reference to a secret"
    env: Annotated[str, Meta(description="The environment variable that holds it.", extra={"must": variable})] = ""
    file: Annotated[Text, Meta(description="The file that holds it.")] = ""
    systemd: Annotated[
        str,
        Meta(description="The name of a LoadCredential= of the systemd unit.", extra={"must": credential_name}),
    ] = ""
    keyvault: Annotated[
        str,
        Meta(description="The address of a secret in Azure Key Vault.", extra={"must": vault_secret}),
    ] = ""


class CredentialForm(StrictForm, frozen=True, kw_only=True):
    """The app with which a tenant is read. Without it, the AZURE_… variables say which."""

    noun: ClassVar[str] = "a credential"
    client_id: Annotated[Line, Meta(description="The client ID of the app registration.")] = ""
    secret: SecretForm | UnsetType = UNSET
    certificate: SecretForm | UnsetType = UNSET
    certificate_password: SecretForm | UnsetType = UNSET
    auth: Annotated[str, one_of(*UNATTENDED)] = "auto"


class ReportsForm(StrictForm, frozen=True, kw_only=True):
    """Where the reports of the last run go: FOLDER/<name of the tenant>/report.html and so on."""

    noun: ClassVar[str] = "reports"
    folder: Annotated[Text, Meta(description="The folder, relative to the configuration file.")]
    formats: tuple[ReportFormat, ...] = ("html", "json")


class RequestedAppForm(StrictForm, frozen=True, kw_only=True):
    """An app that no pack knows, as check --app and --scopes describe it."""

    noun: ClassVar[str] = "an app"
    client_id: Line
    scopes: Annotated[Line, Meta(description="The scopes that it requests, separated by spaces.")]
    name: Line = ""
    redirect_uri: Line = ""


class SettingsForm(StrictForm, frozen=True, kw_only=True):
    """What can be set for all tenants, and for one tenant."""

    packs: Annotated[tuple[Text, ...], Meta(description="Rule packs: names, files or folders.")] | UnsetType = UNSET
    apps: (
        Annotated[
            tuple[RequestedAppForm | Text, ...],
            Meta(description="Apps: the client ID or name of an app that a pack knows, or a table."),
        ]
        | UnsetType
    ) = UNSET
    waivers: Annotated[tuple[Text, ...], Meta(description="Files of waivers.")] | UnsetType = UNSET
    abused: Annotated[tuple[Text, ...], Meta(description="Your own lists of known abused apps.")] | UnsetType = UNSET
    fail_on: Annotated[str, one_of(*Severity, NEVER)] | UnsetType = UNSET
    fail_on_new: Annotated[str, one_of(*Severity)] | UnsetType = UNSET
    fail_on_change: bool | UnsetType = UNSET
    strict: bool | UnsetType = UNSET
    reports: ReportsForm | UnsetType = UNSET
    timeout: int | Time | UnsetType = UNSET
    cloud: Annotated[str, one_of(*CLOUDS)] | UnsetType = UNSET
    credential: CredentialForm | UnsetType = UNSET
    authority_host: Address | UnsetType = UNSET
    graph_endpoint: Address | UnsetType = UNSET


class DefaultsForm(SettingsForm, frozen=True, kw_only=True):
    """What applies to each tenant that doesn't set it itself."""

    noun: ClassVar[str] = "the defaults"
    concurrency: Annotated[int, Meta(description="The most tenants that are read at the same time.")] | UnsetType = (
        UNSET
    )


class PartnerForm(StrictForm, frozen=True, kw_only=True):
    """The tenant of a partner, which has a list of customers, and the app that reads the list.

    Without a credential, the one of the entry or of defaults is used.
    """

    noun: ClassVar[str] = "a partner"
    tenant: Annotated[str, Meta(description="The ID or a domain of your own tenant.", extra={"must": live_tenant})]
    credential: CredentialForm | UnsetType = UNSET
    cloud: Annotated[str, one_of(*CLOUDS)] | UnsetType = UNSET
    timeout: int | Time | UnsetType = UNSET
    authority_host: Address | UnsetType = UNSET
    graph_endpoint: Address | UnsetType = UNSET


class TenantForm(SettingsForm, frozen=True, kw_only=True):
    """A tenant, live or from a snapshot, or a list of them: a CSV file, a folder of snapshots, or a partner's list."""

    noun: ClassVar[str] = "a tenant"
    name: Annotated[Name, Meta(description="Its name in reports, folders, metrics and messages.")] = ""
    tenant: Annotated[str, Meta(description="The ID or a domain of a live tenant.", extra={"must": live_tenant})] = ""
    snapshot: Annotated[Text, Meta(description="A snapshot file, evaluated again in each run.")] = ""
    csv: Annotated[
        Text, Meta(description="A CSV file with the columns tenant, name, tags, client-id, cloud and packs.")
    ] = ""
    snapshots: Annotated[
        Text, Meta(description="A folder of snapshots and bundles, one for each tenant, named after it.")
    ] = ""
    gdap: (
        Annotated[PartnerForm, Meta(description="The customers with delegated admin relationships (GDAP).")] | UnsetType
    ) = UNSET
    contracts: Annotated[PartnerForm, Meta(description="The customers with contracts.")] | UnsetType = UNSET
    only: Annotated[tuple[Text, ...], Meta(description="Of a list: only these customers, by ID, domain or name.")] = ()
    excluded: Annotated[
        tuple[Text, ...], Meta(description="Of a list: without these customers, by ID, domain or name.")
    ] = msgspec.field(default=(), name="except")
    tags: tuple[Tag, ...] = ()


class HistoryForm(StrictForm, frozen=True, kw_only=True):
    """Where runs are kept: a file of SQLite or a PostgreSQL database."""

    noun: ClassVar[str] = "the history"
    file: Annotated[Text, Meta(description="A file of SQLite.")] = ""
    url: Annotated[SecretForm, Meta(description="The address of a PostgreSQL database.")] | UnsetType = UNSET
    users: Annotated[bool, Meta(description="Whether the users of grants are kept.")] = True


class KeepForm(StrictForm, frozen=True, kw_only=True):
    """How long runs are kept. Runs in which something changed are always kept."""

    noun: ClassVar[str] = "keep"
    days: int = 400
    runs: Annotated[int, Meta(description="The most runs of each tenant.")] = 500


class NotifyForm(StrictForm, frozen=True, kw_only=True):
    """Whom to notify, and of what."""

    noun: ClassVar[str] = "a notification target"
    url: Annotated[SecretForm, Meta(description="The address, as apprise writes it.")]
    on: Annotated[tuple[Event, ...], Meta(description="What to send.")] = (
        Event.CHANGE,
        Event.FAILURE,
        Event.RECOVERY,
        Event.EXPIRY,
    )
    name: Annotated[Name, Meta(description="Its name in messages about it.")] = ""
    at_least: Annotated[Severity, Meta(description="The least severity of findings.")] | UnsetType = UNSET
    tags: tuple[Tag, ...] = ()
    tenants: Annotated[tuple[Line, ...], Meta(description="Only these tenants, by name.")] = ()
    remind_after: Annotated[
        str,
        Meta(
            description="When the same thing is sent again, or never.",
            extra={"must": time_or_never},
            pattern="^([0-9]+[smhd]|never)$",
        ),
    ] = "7d"
    expiry_before: Annotated[Time, Meta(description="How long before an expiry it is sent.")] = f"{ENDS_SOON_DAYS}d"
    attach: (
        Annotated[
            AttachedFormat, Meta(description="Attach the report in this format. CSV is several files: attach xlsx.")
        ]
        | UnsetType
    ) = UNSET
    link: Annotated[Line, Meta(description="An address to show in the message, such as that of the site.")] = ""


class HeartbeatForm(StrictForm, frozen=True, kw_only=True):
    """An address that is called at the start and at the end of each run."""

    noun: ClassVar[str] = "the heartbeat"
    url: SecretForm


class ScheduleForm(StrictForm, frozen=True, kw_only=True):
    """How often the run should start, to find runs that didn't happen, and when the workers of a fleet start it."""

    noun: ClassVar[str] = "the schedule"
    every: Time = "24h"
    at: (
        Annotated[
            str,
            Meta(
                description="The time of day in UTC at which fleet worker starts the run. Nothing else reads it.",
                extra={"must": time_of_day},
                pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$",
            ),
        ]
        | UnsetType
    ) = UNSET


class OnboardingForm(StrictForm, frozen=True, kw_only=True):
    """What the links and messages say that ask customers for consent."""

    noun: ClassVar[str] = "onboarding"
    provider: Annotated[Line, Meta(description="Who asks the customers for consent.")] = ""
    app_name: Annotated[Line, Meta(description="The name of the app registration.")] = OnboardingSettings().app_name
    redirect_uri: Annotated[
        str, Meta(description="A redirect URI of the registration.", extra={"must": redirect_uri})
    ] = OnboardingSettings().redirect_uri


class ConfigurationForm(StrictForm, frozen=True, kw_only=True):
    """A configuration of nightly runs."""

    noun: ClassVar[str] = "a configuration"
    version: Literal[1]
    tenants: tuple[TenantForm, ...]
    defaults: DefaultsForm = DefaultsForm()
    history: Literal["sqlite"] | HistoryForm = "sqlite"
    keep: KeepForm = KeepForm()
    notify: tuple[NotifyForm, ...] = ()
    heartbeat: HeartbeatForm | UnsetType = UNSET
    metrics: Annotated[Text, Meta(description="A file of metrics in the text format of Prometheus.")] = ""
    site: Annotated[Text, Meta(description="A folder for the dashboard.")] = ""
    schedule: ScheduleForm = ScheduleForm()
    onboarding: OnboardingForm = OnboardingForm()


def schema() -> dict[str, Any]:
    """The JSON Schema of a configuration, for editors."""
    (found,), parts = msgspec.json.schema_components([ConfigurationForm], ref_template="#/$defs/{name}")
    for part in parts.values():
        for text in part.get("properties", {}).values():
            if text.get("default") == "":
                del text["default"]
    parts["SecretForm"] |= {"minProperties": 1, "maxProperties": 1}
    parts["TenantForm"]["anyOf"] = [{"required": [key]} for key in SOURCES]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A nightly configuration of consent-auditor",
        **found,
        "$defs": parts,
    }
