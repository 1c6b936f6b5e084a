"""What to register for a fleet, from its packs, and the files with which a provider starts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from auditor.atomic import make_folder, write_whole
from auditor.checks.kind import plan_for
from auditor.checks.required_reads import permissions_for
from auditor.facts.permissions import LISTING_PERMISSIONS
from auditor.jobs.customer_consents import asked_permission, packs_of
from auditor.jobs.nightly_config import configuration_path, load_configuration
from auditor.jobs.nightly_forms import live_tenant, redirect_uri
from auditor.jobs.pack_selection import app_pack_names, chosen_packs
from auditor.jobs.registration_scripts import (
    bash_registration,
    powershell_registration,
    required_access,
    role_to_register,
)
from auditor.model.configuration import OnboardingSettings
from auditor.model.customers import ListKind
from auditor.model.document import Document
from auditor.model.errors import InvalidRequest
from auditor.model.registration import (
    AZ_SCRIPT,
    CERTIFICATE_FILE,
    CONFIGURATION_FILE,
    CUSTOMERS_FILE,
    PERMISSIONS_FILE,
    PLACEHOLDER_CLIENT,
    POWERSHELL_SCRIPT,
    STEPS_FILE,
    ListingPermission,
    Registration,
)
from auditor.model.rule import Pack
from auditor.render.documents import as_markdown
from auditor.render.registration_view import LIST_NAMES, document

CSV = "csv"
LISTS = (CSV, ListKind.GDAP.value, ListKind.CONTRACTS.value)
"""Where the list of customers can be kept."""
_PLACEHOLDER_PARTNER = "partner.onmicrosoft.com"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*")
"""What YAML reads as text without quotes, apart from words that mean something else."""


class ConfiguredRegistration(NamedTuple):
    """What a configuration says about the registration; `file` is empty without one."""

    file: str = ""
    settings: OnboardingSettings = OnboardingSettings()
    packs: tuple[Pack, ...] = ()
    lists: tuple[ListKind, ...] = ()
    partner: str = ""
    cloud: str = ""


def found_configuration(config: str) -> ConfiguredRegistration:
    """What the configuration says, if one is named or is where the other commands look for it.

    Raises InvalidRequest for one that is named and isn't there, and ConfigurationError.
    """
    try:
        loaded = load_configuration(configuration_path(config))
    except InvalidRequest:
        if config:
            raise
        return ConfiguredRegistration()
    entries = (*loaded.tenants, *(one.customer for one in loaded.sources))
    packs = {pack.name: pack for one in entries for pack in packs_of(one)}
    partners = [one.partner.tenant for one in loaded.sources if one.partner]
    return ConfiguredRegistration(
        file=loaded.file,
        settings=loaded.onboarding,
        packs=tuple(packs.values()),
        lists=tuple(dict.fromkeys(one.kind for one in loaded.sources if one.partner)),
        partner=next(iter(partners), ""),
        cloud=next((one.cloud for one in entries), ""),
    )


def registration_for(
    packs: Sequence[str],
    found: ConfiguredRegistration,
    *,
    customers: str = "",
    partner: str = "",
    name: str = "",
    redirect: str = "",
    provider: str = "",
    cloud: str = "",
) -> Registration:
    """What to register for these packs and those of the configuration; without any, for the shipped ones about an app.

    One registration is for all that the configuration audits, so the configuration's packs are always in it.

    Raises InvalidRequest for a tenant or a redirect URI that can't be one, and PackError.
    """
    for option, wrong in (
        ("--partner", live_tenant(partner) if partner else None),
        ("--redirect-uri", redirect_uri(redirect) if redirect else None),
    ):
        if wrong:
            raise InvalidRequest(f"{option} {wrong.message}; expected {wrong.expected}")
    if partner and customers == CSV:
        raise InvalidRequest("--partner is for a list in your own tenant: add --customers gdap or contracts")
    given = chosen_packs(packs) if packs else ()
    names = {pack.name for pack in given}
    more = tuple(pack for pack in found.packs if pack.name not in names)
    chosen = (*given, *more) or chosen_packs(app_pack_names())
    kinds = [ListKind(customers)] if customers and customers != CSV else [] if customers else list(found.lists)
    return Registration(
        name=name or found.settings.app_name,
        permissions=tuple(map(asked_permission, permissions_for(plan_for(chosen)))),
        packs=(*packs, *(pack.name for pack in (more if packs else chosen))),
        redirect_uri=redirect or found.settings.redirect_uri,
        listing=tuple(map(_listing, kinds)),
        customers=kinds[0].value if kinds else CSV,
        partner=partner or found.partner,
        provider=provider or found.settings.provider,
        cloud=cloud or found.cloud or "global",
    )


def _listing(kind: ListKind) -> ListingPermission:
    known = LISTING_PERMISSIONS[kind]
    return ListingPermission(name=known.name, id=known.id, title=LIST_NAMES[kind])


def notes_on(found: ConfiguredRegistration, registration: Registration, packs: Sequence[str]) -> Iterator[str]:
    """Sentences on the configuration, which isn't changed: what was taken from it, and what to add to it.

    `packs` are those that were asked for.
    """
    if not found.file:
        return
    more = [name for name in registration.packs if name not in packs] if packs else []
    if more:
        yield f"The registration also covers the packs of {found.file}: {', '.join(more)}."
    elif not packs:
        yield f"The packs and customers are those of {found.file}."
    known = {pack.name for pack in found.packs}
    if missing := [one for one in packs if any(pack.name not in known for pack in chosen_packs((one,)))]:
        yield f"Add to packs in {found.file}, so that runs use them: {', '.join(missing)}"
    kind = registration.customers
    if kind != CSV and kind not in found.lists:
        partner = _yaml(registration.partner or _PLACEHOLDER_PARTNER)
        yield f"Add to tenants in {found.file}: {{{kind}: {{tenant: {partner}}}}}"
    made, kept = registration, found.settings
    pairs = (
        ("provider", made.provider, kept.provider),
        ("app-name", made.name, kept.app_name),
        ("redirect-uri", made.redirect_uri, kept.redirect_uri),
    )
    if lacks := [f"{key}: {_yaml(new)}" for key, new, old in pairs if new != old]:
        yield f"Add to {found.file}, for the messages to customers: onboarding: {{{', '.join(lacks)}}}"


def steps(registration: Registration, *, has_files: bool) -> Document:
    """What to do, for the administrator who does it."""
    return document(registration, role=role_to_register(registration), has_files=has_files)


# ---- Files ----------------------------------------------------------------------------------------------------------


def write_files(registration: Registration, folder: Path, *, force: bool, configuration: bool) -> tuple[str, ...]:
    """Write the steps, the scripts and the permissions into a folder, and with `configuration` what starts a fleet.

    Without `force`, nothing is written if one of the files exists. What people edit, the configuration and the list of
    customers, is never overwritten. Returns the names of the files that were written.

    Raises InvalidRequest and OSError.
    """
    made = dict(_files(registration, configuration=configuration))
    existing = [name for name in made if (folder / name).exists()]
    if existing and not force:
        raise InvalidRequest(
            f"{folder / existing[0]} exists already: add --force to overwrite it, or choose another folder"
        )
    make_folder(folder)
    written = []
    for name, text in made.items():
        if name in (CONFIGURATION_FILE, CUSTOMERS_FILE) and name in existing:
            continue
        write_whole(folder / name, text.encode(), keep_mode=True)
        written.append(name)
    return tuple(written)


def _files(registration: Registration, *, configuration: bool) -> Iterator[tuple[str, str]]:
    yield STEPS_FILE, as_markdown(steps(registration, has_files=True))
    yield PERMISSIONS_FILE, json.dumps(required_access(registration), indent=2) + "\n"
    yield AZ_SCRIPT, bash_registration(registration)
    yield POWERSHELL_SCRIPT, powershell_registration(registration)
    if configuration:
        yield CONFIGURATION_FILE, configuration_text(registration)
        if registration.customers == CSV:
            yield CUSTOMERS_FILE, "tenant,name,tags\n"


def configuration_text(registration: Registration) -> str:
    """The configuration of a new fleet, with comments."""
    lists = "{csv: customers.csv}                  # the columns are tenant, name and tags"
    if registration.customers != CSV:
        tenant = registration.partner or _PLACEHOLDER_PARTNER
        lists = f"{{{registration.customers}: {{tenant: {tenant}}}}}   # your own tenant, which lists the customers"
    cloud = f"  cloud: {registration.cloud}\n" if registration.cloud != "global" else ""
    return _TEMPLATE.format(
        packs=", ".join(map(_yaml, registration.packs)),
        cloud=cloud,
        client=PLACEHOLDER_CLIENT,
        certificate=CERTIFICATE_FILE,
        lists=lists,
        provider=_yaml(registration.provider or "Your company"),
        name=_yaml(registration.name),
        redirect=_yaml(registration.redirect_uri),
    )


def _yaml(text: str) -> str:
    """The text as a YAML scalar; JSON's quotes are YAML's, too."""
    return text if _PLAIN.fullmatch(text) and not _MEANS_ELSE.fullmatch(text) else json.dumps(text)


_MEANS_ELSE = re.compile(r"(?:true|false|yes|no|on|off|null|y|n|[0-9._-]+)", re.IGNORECASE)

_TEMPLATE = """\
# The tenants of your customers, for consent-auditor. Relative paths start in the folder of this file.
# Who has consented:  consent-auditor fleet onboard --config FILE
# Audit them all:     consent-auditor nightly run --config FILE
version: 1

defaults:
  packs: [{packs}]
{cloud}  credential:
    client-id: {client}   # the client ID that the registration got
    certificate: {{file: {certificate}}}   # key and certificate in one file; in a pipeline: auth: workload-identity

tenants:
  - {lists}

# What the links and messages say that ask customers for consent.
onboarding:
  provider: {provider}
  app-name: {name}
  redirect-uri: {redirect}
"""
