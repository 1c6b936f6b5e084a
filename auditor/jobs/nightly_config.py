"""Load the configuration of nightly runs, reporting every mistake with its position before anything runs."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from auditor.jobs.customer_csv import NamedTenant, csv_rows
from auditor.jobs.nightly_config_checks import Checks, default_name, named_packs
from auditor.jobs.nightly_forms import (
    ConfigurationForm,
    CredentialForm,
    NotifyForm,
    PartnerForm,
    RequestedAppForm,
    SecretForm,
    SettingsForm,
    TenantForm,
    minute_of,
    seconds_of,
)
from auditor.model.configuration import (
    DEFAULT_CONCURRENCY,
    DEFAULT_TIMEOUT,
    AppEntry,
    Configuration,
    CredentialEntry,
    CsvFile,
    CustomerSource,
    HistoryPlace,
    Keep,
    NotifyTarget,
    OnboardingSettings,
    ReportFiles,
    SecretKind,
    SecretRef,
    TenantEntry,
)
from auditor.model.customers import ListKind
from auditor.model.errors import InvalidRequest
from auditor.model.host_names import https_endpoint
from auditor.model.rule import RulePlace, Severity
from auditor.packs import PackError, PackProblems, Position, Problem, TooManyProblems
from auditor.packs.decode_nodes import decode
from auditor.packs.load import exists, file_source, path_of
from auditor.packs.yaml_nodes import Broken, Items, Node, Scalar, Table, child, items_of, read

VARIABLE = "CONSENT_AUDITOR_CONFIG"
FILE_NAME = "consent-auditor.yaml"
VERSION = 1

_SECRETS = frozenset(
    (
        *(
            (*place, "credential", *key)
            for place in (("defaults",), ("tenants",), ("tenants", "gdap"), ("tenants", "contracts"))
            for key in ((), ("secret",), ("certificate",), ("certificate-password",))
        ),
        *(("notify",), ("notify", "url"), ("heartbeat",), ("heartbeat", "url"), ("history", "url")),
    )
)
"""The keys under which a text would be a secret; lists don't count."""
_SOUNDS_SECRET = re.compile(r"secret|passw|token|key|url|credential", re.IGNORECASE)
_REFERENCE = "{env: NAME}, {file: PATH}, {systemd: NAME} or {keyvault: https://VAULT.vault.azure.net/secrets/NAME}"


class ConfigurationError(PackError):
    """A configuration that can't be used; `problems` has every mistake."""

    @property
    def explanation(self) -> str:
        """The problems, one on each line."""
        return f"{self.heading}: the configuration can't be used:\n{self}"


def configuration_path(given: str, environ: Mapping[str, str] | None = None) -> str:
    """The configuration file: the given one, that of the environment, in this folder, or in the user's folder.

    Raises InvalidRequest if none is given and none is found.
    """
    variables = os.environ if environ is None else environ
    if named := given or variables.get(VARIABLE, "").strip():
        return named
    if Path(FILE_NAME).is_file():
        return FILE_NAME
    own = user_configuration()
    if own is not None and own.is_file():
        return str(own)
    places = f"neither {FILE_NAME} in this folder nor {own} exists" if own else f"this folder has no {FILE_NAME}"
    raise InvalidRequest(
        f"there is no configuration: {places}, and {VARIABLE} isn't set. Write one with: consent-auditor nightly init;"
        " for the tenants of customers: consent-auditor fleet init -o FOLDER/"
    )


def user_configuration() -> Path | None:
    """Where the platform keeps the configuration of a user's programs; none without the extra ``nightly``."""
    try:
        from platformdirs import user_config_path
    except ImportError:
        return None
    return user_config_path("consent-auditor", appauthor=False) / FILE_NAME


def load_configuration(path: str) -> Configuration:
    """The configuration in a file. Raises ConfigurationError with every mistake in it."""
    if not exists(path_of(path)):
        wanted = "the path of a configuration; consent-auditor nightly init writes one"
        raise ConfigurationError([Problem(path, 0, 0, "there is no such file", expected=wanted)])
    try:
        return _load(path)
    except ConfigurationError:
        raise
    except PackError as error:
        raise ConfigurationError(error.problems) from None


def _load(path: str) -> Configuration:
    source = file_source(path_of(path))
    folder = source.folder or Path()
    problems = PackProblems()
    form: Any = None
    document: Node | None = None
    with contextlib.suppress(TooManyProblems):
        document = read(
            source.text, source.label, problems, expected="a configuration, as nightly init writes it", keys=("on",)
        )
        if document is not None:
            document = _without_secrets(document, (), problems)
            form = _form(document, problems)
            Checks(problems, folder).run(document)
    problems.raise_any()
    return _configuration(form, document, folder, source.label)


def _form(node: Node, problems: PackProblems) -> Any:
    """The decoded document, or None if it is of a newer version."""
    match child(node, "version"):
        case Scalar(value=int(number)) as version if number > VERSION and not isinstance(number, bool):
            newer = f"this file has version {number}, but this program only reads version {VERSION}"
            problems.add(version.at, newer, expected="a newer consent-auditor")
            return None
    return decode(node, ConfigurationForm, problems, "a configuration")


def _without_secrets(node: Node, path: tuple[str, ...], problems: PackProblems) -> Node:
    """The node without secrets that are written out. Each is reported, and no message quotes it."""
    match node:
        case Table(entries=entries):
            inner = {
                key: entry._replace(value=_without_secrets(entry.value, (*path, key), problems))
                for key, entry in entries.items()
            }
            return node._replace(entries=inner)
        case Items(nodes=nodes):
            return node._replace(nodes=tuple(_without_secrets(one, path, problems) for one in nodes))
        case Scalar(value=None):
            return node
        case Scalar(text=text):
            return _refused(node.at, problems) if _is_secret(path, text) else _checked_name(node, path, problems)
        case Broken(at=at):
            if any(_SOUNDS_SECRET.search(key) for key in path) or path in _SECRETS:
                # What is wrong with it was reported with its text.
                problems.found[:] = [one for one in problems.found if one.position != at]
                _refused(at, problems)
    return node


def _is_secret(path: tuple[str, ...], text: str) -> bool:
    return path in _SECRETS or (path == ("history",) and ("://" in text or "@" in text))


def _checked_name(node: Scalar, path: tuple[str, ...], problems: PackProblems) -> Node:
    """The node, unless it is a number in a reference to a secret: the message about it would quote it."""
    if path[:-1] not in _SECRETS or isinstance(node.value, str):
        return node
    problems.add(node.at, f"{path[-1]} isn't text", expected="text in quotes")
    return Broken(node.at)


def _refused(at: Position, problems: PackProblems) -> Broken:
    problems.add(at, "a secret must not be written into this file", expected=f"where it is: {_REFERENCE}")
    return Broken(at)


# ---- The model ------------------------------------------------------------------------------------------------------


def _configuration(form: ConfigurationForm, document: Node | None, folder: Path, label: str) -> Configuration:
    history = HistoryPlace()
    if not isinstance(form.history, str):
        history = HistoryPlace(
            file=_path(form.history.file, folder),
            url=_secret(form.history.url, child(document, "history", "url"), folder),
            keeps_users=form.history.users,
        )
    heartbeat = None if isinstance(form.heartbeat, msgspec.UnsetType) else form.heartbeat.url
    csv_files: list[CsvFile] = []
    entries = tuple(_entries(form, document, folder, csv_files))
    return Configuration(
        file=label,
        tenants=tuple(entry for entry in entries if isinstance(entry, TenantEntry)),
        sources=tuple(entry for entry in entries if isinstance(entry, CustomerSource)),
        csv_files=tuple(csv_files),
        history=history,
        keep=Keep(days=form.keep.days, runs=form.keep.runs),
        notify=tuple(_targets(form.notify, items_of(child(document, "notify")), folder)),
        heartbeat=_secret(heartbeat or msgspec.UNSET, child(document, "heartbeat", "url"), folder),
        metrics=_path(form.metrics, folder),
        site=_path(form.site, folder),
        concurrency=_set(form.defaults.concurrency, DEFAULT_CONCURRENCY),
        schedule_hours=(seconds_of(form.schedule.every) or 0) / 3600,
        onboarding=OnboardingSettings(
            provider=form.onboarding.provider,
            app_name=form.onboarding.app_name,
            redirect_uri=form.onboarding.redirect_uri,
        ),
        schedule_minute=None if isinstance(form.schedule.at, msgspec.UnsetType) else minute_of(form.schedule.at),
    )


def _entries(
    form: ConfigurationForm, document: Node | None, folder: Path, csv_files: list[CsvFile]
) -> Iterable[TenantEntry | CustomerSource]:
    """The tenants and lists of customers, with the defaults filled in, in the order of the file.

    Adds each CSV file to `csv_files`, also one that lists nobody.
    """
    defaults = _settings(form.defaults, child(document, "defaults"), folder)
    for one, node in zip(form.tenants, items_of(child(document, "tenants")), strict=True):
        settings = {**defaults, **_settings(one, node, folder)}
        of_apps = settings.pop("packs_of_apps", ())
        settings["packs"] = tuple(dict.fromkeys((*settings.get("packs", ()), *of_apps)))
        entry = TenantEntry(
            name=one.name or default_name(one.tenant, one.snapshot),
            tenant=one.tenant,
            snapshot=_path(one.snapshot, folder),
            tags=one.tags,
            place=_place(node.at),
            **settings,
        )
        partners = ((ListKind.GDAP, one.gdap), (ListKind.CONTRACTS, one.contracts))
        if one.csv:
            rows = csv_rows(path_of(one.csv, folder), PackProblems(), node.at)
            csv_files.append(CsvFile(file=_path(one.csv, folder), customers=len(rows)))
            yield from (_of_row(row, entry, of_apps, folder) for row in rows)
        elif one.snapshots:
            found = _path(one.snapshots, folder)
            yield _source(ListKind.SNAPSHOTS, one, entry, folder=found)
        elif given := [(kind, form) for kind, form in partners if isinstance(form, PartnerForm)]:
            ((kind, partner),) = given
            yield _source(kind, one, entry, partner=_partner(partner, entry, child(node, kind.value), folder))
        else:
            yield entry


def _of_row(row: NamedTenant, entry: TenantEntry, of_apps: tuple[str, ...], folder: Path) -> TenantEntry:
    """The entry of a row. Its client ID replaces that of the credential, and its packs those of the entry."""
    given: dict[str, Any] = {"cloud": row.cloud} if row.cloud else {}
    if row.packs:
        given["packs"] = tuple(dict.fromkeys((*named_packs(row.packs, folder), *of_apps)))
    if row.client_id:
        given["credential"] = msgspec.structs.replace(entry.credential or CredentialEntry(), client_id=row.client_id)
    return msgspec.structs.replace(
        entry, name=row.name, tenant=row.tenant, tags=(*entry.tags, *row.tags), place=_place(row.at), **given
    )


def _source(kind: ListKind, form: TenantForm, customer: TenantEntry, **where: Any) -> CustomerSource:
    return CustomerSource(
        kind=kind, customer=customer, only=form.only, excluded=form.excluded, place=customer.place, **where
    )


def _partner(form: PartnerForm, entry: TenantEntry, node: Node | None, folder: Path) -> TenantEntry:
    """The partner's tenant, with its own settings in place of those of the entry."""
    found: dict[str, Any] = {}
    if not isinstance(form.credential, msgspec.UnsetType):
        found["credential"] = _credential(form.credential, child(node, "credential"), folder)
    if not isinstance(form.cloud, msgspec.UnsetType):
        found["cloud"] = form.cloud
    found |= _connection(form)
    return msgspec.structs.replace(entry, name=form.tenant, tenant=form.tenant, tags=(), **found)


def _settings(form: SettingsForm, node: Node | None, folder: Path) -> dict[str, Any]:
    """The settings that are given, as fields of a tenant."""
    found: dict[str, Any] = {
        "cloud": form.cloud,
        "fail_on": form.fail_on,
        "fail_on_new": form.fail_on_new,
        "fail_on_change": form.fail_on_change,
        "strict": form.strict,
    }
    if not isinstance(form.packs, msgspec.UnsetType):
        found["packs"] = named_packs(form.packs, folder)
    if not isinstance(form.apps, msgspec.UnsetType):
        known = Checks(PackProblems(), folder).packs_of_apps(one for one in form.apps if isinstance(one, str))
        found["packs_of_apps"] = known
        found["apps"] = tuple(_app(one) for one in form.apps if isinstance(one, RequestedAppForm))
    if not isinstance(form.waivers, msgspec.UnsetType):
        found["waivers"] = tuple(_path(one, folder) for one in form.waivers)
    if not isinstance(form.abused, msgspec.UnsetType):
        found["abused"] = tuple(_path(one, folder) for one in form.abused)
    if not isinstance(form.reports, msgspec.UnsetType):
        found["reports"] = ReportFiles(folder=_path(form.reports.folder, folder), formats=form.reports.formats)
    if not isinstance(form.credential, msgspec.UnsetType):
        found["credential"] = _credential(form.credential, child(node, "credential"), folder)
    return {key: value for key, value in found.items() if value is not msgspec.UNSET} | _connection(form)


def _connection(form: SettingsForm | PartnerForm) -> dict[str, Any]:
    """The time limit and the hosts that are given."""
    found: dict[str, Any] = {}
    if not isinstance(form.timeout, msgspec.UnsetType):
        seconds = seconds_of(form.timeout) if isinstance(form.timeout, str) else form.timeout
        found["timeout"] = float(seconds or DEFAULT_TIMEOUT)
    for key in ("authority_host", "graph_endpoint"):
        if not isinstance(address := getattr(form, key), msgspec.UnsetType):
            found[key] = https_endpoint(address)
    return found


def _app(form: RequestedAppForm) -> AppEntry:
    return AppEntry(client_id=form.client_id, scopes=form.scopes, name=form.name, redirect_uri=form.redirect_uri)


def _credential(form: CredentialForm, node: Node | None, folder: Path) -> CredentialEntry:
    return CredentialEntry(
        client_id=form.client_id,
        secret=_secret(form.secret, child(node, "secret"), folder),
        certificate=_secret(form.certificate, child(node, "certificate"), folder),
        certificate_password=_secret(form.certificate_password, child(node, "certificate-password"), folder),
        auth=form.auth,
    )


def _secret(form: SecretForm | msgspec.UnsetType, node: Node | None, folder: Path) -> SecretRef | None:
    if isinstance(form, msgspec.UnsetType):
        return None
    place = _place(node.at) if node is not None else None
    if form.file:
        return SecretRef(kind=SecretKind.FILE, name=_path(form.file, folder), place=place)
    kind, name = next(
        (kind, name)
        for kind, name in (
            (SecretKind.ENVIRONMENT, form.env),
            (SecretKind.SYSTEMD_CREDENTIAL, form.systemd),
            (SecretKind.KEY_VAULT, form.keyvault),
        )
        if name
    )
    return SecretRef(kind=kind, name=name, place=place)


def _targets(forms: Iterable[NotifyForm], nodes: Iterable[Node], folder: Path) -> Iterable[NotifyTarget]:
    taken: set[str] = set()
    for form, node in zip(forms, nodes, strict=True):
        url = _secret(form.url, child(node, "url"), folder)
        assert url is not None, "a target has an address"
        # The name identifies the target in the history, so it doesn't change with the order of the targets.
        base = name = form.name or (Path(url.name).stem if url.kind is SecretKind.FILE else url.name.split("/")[-1])
        while name.lower() in taken:
            name = f"{base}-{sum(one.startswith(base.lower()) for one in taken) + 1}"
        taken.add(name.lower())
        yield NotifyTarget(
            name=name,
            url=url,
            on=form.on,
            at_least=None if isinstance(form.at_least, msgspec.UnsetType) else Severity(form.at_least),
            tags=form.tags,
            tenants=form.tenants,
            remind_after_days=_days(form.remind_after),
            expiry_days=_days(form.expiry_before),
            attach="" if isinstance(form.attach, msgspec.UnsetType) else form.attach,
            link=form.link,
            place=_place(node.at),
        )


def _days(text: str) -> int:
    """The whole days of a length of time, at least one; 0 for ``never``."""
    seconds = seconds_of(text)
    return max(1, round(seconds / 86_400)) if seconds else 0


def _set(value: Any, default: Any) -> Any:
    return default if value is msgspec.UNSET else value


def _path(name: str, folder: Path) -> str:
    """The path relative to the configuration file; empty for an empty name."""
    return str(path_of(name, folder)) if name else ""


def _place(at: Position) -> RulePlace:
    return RulePlace(file=at.file, line=max(at.line, 1))
