"""The configuration of nightly runs: tenants, packs, reports, history, and whom to notify."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from auditor.facts.ids import CONSENT_RETURN
from auditor.model.customers import CustomerList, ListKind, Relationship
from auditor.model.document import ENDS_SOON_DAYS
from auditor.model.rule import RulePlace, Severity

DEFAULT_TIMEOUT = 120
DEFAULT_CONCURRENCY = 50


class SecretKind(StrEnum):
    """Where a secret is kept."""

    ENVIRONMENT = "env"
    FILE = "file"
    SYSTEMD_CREDENTIAL = "systemd"
    """The name of a ``LoadCredential=`` of the systemd unit."""
    KEY_VAULT = "keyvault"
    """The address of a secret in an Azure Key Vault; needs the extra ``keyvault``."""


class SecretRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where a secret is; never the secret. `place` is its position in the configuration file, for errors."""

    kind: SecretKind
    name: str
    place: RulePlace | None = None


class CredentialEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The app credential of a tenant. Without it, the tenant uses the credential of the environment."""

    client_id: str = ""
    secret: SecretRef | None = None
    certificate: SecretRef | None = None
    """A file with the certificate and its private key."""
    certificate_password: SecretRef | None = None
    auth: str = "auto"


class ReportFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Where the reports of a tenant go: ``FOLDER/<name of the tenant>/report.html`` and so on."""

    folder: str = ""
    formats: tuple[str, ...] = ()


class AppEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An app that no pack knows: its client id, and the scopes that it requests, separated by spaces."""

    client_id: str
    scopes: str
    name: str = ""
    redirect_uri: str = ""


class TenantEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant, with the defaults filled in. Either `tenant` (live) or `snapshot` (a file) is given.

    `name` identifies it in the configuration, in reports' folders and in metrics. `packs` include those of the apps
    that were named; `apps` are the others. A customer of a list has the list's key in `listed_by`, and the partner's
    `relationships` with it.
    """

    name: str
    tenant: str = ""
    snapshot: str = ""
    tags: tuple[str, ...] = ()
    cloud: str = "global"
    credential: CredentialEntry | None = None
    packs: tuple[str, ...] = ()
    apps: tuple[AppEntry, ...] = ()
    waivers: tuple[str, ...] = ()
    abused: tuple[str, ...] = ()
    fail_on: str = Severity.MEDIUM.value
    fail_on_new: str = ""
    fail_on_change: bool = False
    strict: bool = False
    reports: ReportFiles = ReportFiles()
    timeout: float = DEFAULT_TIMEOUT
    authority_host: str = ""
    graph_endpoint: str = ""
    listed_by: str = ""
    relationships: tuple[Relationship, ...] = ()
    place: RulePlace | None = None


class CustomerSource(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that names a list of customers: a `folder` of snapshots, or a list in the tenant of a `partner`.

    `customer` is the entry of each customer, without its name and its tenant or snapshot. `only` and `excluded` are
    tenant ids, domains, or names as the list or the configuration has them; an empty `only` means all.
    """

    kind: ListKind
    customer: TenantEntry
    folder: str = ""
    partner: TenantEntry | None = None
    only: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    place: RulePlace | None = None

    @property
    def key(self) -> str:
        """What identifies the list in every run; entries with the same key have the list in common."""
        return f"{self.kind}:{self.partner.tenant.lower() if self.partner else self.folder}"


EMPTY_CSV = "Add a line for each customer below the names of the columns."
"""What to do about a CSV file that lists nobody."""


class CsvFile(msgspec.Struct, frozen=True, kw_only=True):
    """A CSV file of the configuration that lists `customers` tenants."""

    file: str
    customers: int

    @property
    def problem(self) -> str:
        """A sentence if the file lists nobody; else empty."""
        return "" if self.customers else f"There are no customers in {self.file}."


class HistoryPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Where runs are kept: a file of SQLite, or the URL of a PostgreSQL database. Empty: the platform's state folder.

    With `keeps_users` false, the users of grants aren't kept.
    """

    file: str = ""
    url: SecretRef | None = None
    keeps_users: bool = True


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """How long runs are kept: at most `days`, and at most `runs` of each tenant. Runs with a change are always kept."""

    days: int = 400
    runs: int = 500


class Event(StrEnum):
    """What a notification can be about."""

    CHANGE = "change"
    FAILURE = "failure"
    """A run that could not be made, or didn't happen."""
    RECOVERY = "recovery"
    EXPIRY = "expiry"
    ALWAYS = "always"
    DIGEST = "digest"


class NotifyTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to notify, of what. `url` is an address of apprise.

    `at_least` is the least severity of a finding, `tags` and `tenants` limit the tenants (all, without them). The same
    thing is repeated after `remind_after_days` while it lasts; 0 never repeats it. `expiry_days` is how long before an
    expiry it is said. `attach` sends the report along, in this format.
    """

    name: str
    url: SecretRef
    on: tuple[Event, ...]
    at_least: Severity | None = None
    tags: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    remind_after_days: int = 7
    expiry_days: int = ENDS_SOON_DAYS
    attach: str = ""
    link: str = ""
    place: RulePlace | None = None


class OnboardingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the links and messages that ask customers for consent say.

    `provider` is who asks, `app_name` the name of the app registration, and `redirect_uri` a redirect URI of it, to
    which the browser returns.
    """

    provider: str = ""
    app_name: str = "consent-auditor"
    redirect_uri: str = CONSENT_RETURN


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """What a nightly run does. `schedule_hours` is how often it should run, to find missed runs.

    The customers of `sources` become `tenants` when their lists are read; those of `csv_files` are tenants already.
    `schedule_minute` is when the workers of a fleet start it, in minutes after midnight UTC; none if something
    else starts it.
    """

    file: str
    tenants: tuple[TenantEntry, ...]
    sources: tuple[CustomerSource, ...] = ()
    csv_files: tuple[CsvFile, ...] = ()
    lists: tuple[CustomerList, ...] = ()
    history: HistoryPlace = HistoryPlace()
    keep: Keep = Keep()
    notify: tuple[NotifyTarget, ...] = ()
    heartbeat: SecretRef | None = None
    metrics: str = ""
    site: str = ""
    concurrency: int = DEFAULT_CONCURRENCY
    schedule_hours: float = 24
    onboarding: OnboardingSettings = OnboardingSettings()
    schedule_minute: int | None = None
