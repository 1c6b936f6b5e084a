"""Two hundred customers of one provider, each made from its number: what its tenant is like, and what goes wrong there.

What must come of each is written by hand, from what the samples say of themselves and from what each trouble does. No
part of the program computes it.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from auditor.model.history import Run
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.graphserver import (
    AUDIT_ROLES,
    CLIENT_ID,
    CLIENT_SECRET,
    Client,
    GraphServer,
    Held,
    Refusal,
    Reset,
    Silence,
    Status,
)
from tests.graphserver import Tenant as ServedTenant

Json = dict[str, Any]

TRACKERRMS = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
OWN_CLIENT, OWN_SECRET = "c0a7c1de-5f0e-4c55-9d0f-6f4a3f1c2e78", "another~secret.of.one-customer"
NUMBER = 200


class State(StrEnum):
    """What users get who connect TrackerRMS. A tenant that couldn't be read is unknown."""

    CONNECTS = "connects"
    NEEDS_ADMIN = "needs-admin"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


SAMPLES = {
    "managed-default": State.NEEDS_ADMIN,
    "legacy-open": State.CONNECTS,
    "low-unclassified": State.NEEDS_ADMIN,
    "low-classified": State.CONNECTS,
    "consent-off": State.NEEDS_ADMIN,
    "consent-off-workflow": State.NEEDS_ADMIN,
    "admin-consented": State.CONNECTS,
    "admin-consented-partly": State.NEEDS_ADMIN,
    "app-disabled": State.BLOCKED,
    "assignment-required": State.NEEDS_ADMIN,
    "custom-policy": State.CONNECTS,
    "classified-on-exchange-only": State.NEEDS_ADMIN,
    "conditional-access": State.CONNECTS,
    "stopped-users": State.CONNECTS,
    "unreadable-policies": State.NEEDS_ADMIN,
}
"""What each sample says of itself in docs/gallery/README.md."""

WHY = {
    "managed-default": "Microsoft's policy excludes what the app needs",
    "unreadable-policies": "Microsoft's policy excludes what the app needs",
    "admin-consented-partly": "Microsoft's policy excludes what the app needs",
    "low-unclassified": "what the app needs isn't classified",
    "classified-on-exchange-only": "what the app needs isn't classified",
    "consent-off": "user consent is off",
    "consent-off-workflow": "user consent is off",
    "assignment-required": "the app requires assignment",
    "app-disabled": "the app is disabled",
}
"""The setting that stops users, from what the samples say of themselves. Users of the others can connect.

Of what an administrator granted in `admin-consented-partly`, Mail.Send and Contacts.ReadWrite are missing; the policy
that Microsoft manages excludes the second.
"""
GRANTED = frozenset({"admin-consented", "conditional-access", "stopped-users"})
"""Samples in which an administrator granted all that the app needs, so that no policy decides."""
BLOCKING = frozenset({"app-disabled"})


_STATES = {
    "connects-silently": State.CONNECTS,
    "user-may-consent": State.CONNECTS,
    "needs-admin": State.NEEDS_ADMIN,
    "blocked": State.BLOCKED,
    "depends": State.UNKNOWN,
}


def state_of(run: Run) -> State:
    """Whether users of a run's tenant can connect TrackerRMS."""
    states = [_STATES[decision.outcome] for decision in run.decisions]
    return states[0] if states else State.UNKNOWN


class Trouble(StrEnum):
    """What is special about reading a customer's tenant."""

    NONE = "nothing"
    NOT_CONSENTED = "nobody has consented to the auditor"
    NO_PRINCIPAL = "nobody has consented to the auditor, in Entra's newer words"
    DISABLED = "the auditor is disabled"
    GONE = "the tenant is gone"
    SILENT = "Graph doesn't answer"
    SILENT_SIGN_IN = "Entra doesn't answer"
    THROTTLED = "Graph asks to wait for a second"
    THROTTLED_APP = "Graph asks all tenants to wait for a second"
    THROTTLED_LONG = "Graph asks to wait for an hour"
    FAILING = "Graph fails twice"
    RESETTING = "Graph closes a connection"
    SLOW = "Graph answers this tenant after all others"
    PARTLY = "the auditor lacks Policy.Read.All"
    NO_POLICIES = "the auditor lacks Policy.Read.PermissionGrant"
    REFUSING = "Graph refuses to read apps"
    SNAPSHOT = "the customer sent a snapshot"
    NO_SNAPSHOT = "the customer's snapshot doesn't exist"
    OWN_APP = "the customer registered the auditor itself"
    CERTIFICATE = "the auditor proves itself with a certificate"
    BY_DOMAIN = "the customer is configured by its domain"


_TROUBLES = {
    0: Trouble.NOT_CONSENTED,
    2: Trouble.PARTLY,
    5: Trouble.NO_PRINCIPAL,
    7: Trouble.OWN_APP,
    8: Trouble.RESETTING,
    10: Trouble.DISABLED,
    12: Trouble.REFUSING,
    13: Trouble.THROTTLED_APP,
    15: Trouble.GONE,
    17: Trouble.FAILING,
    18: Trouble.CERTIFICATE,
    20: Trouble.SILENT,
    22: Trouble.SILENT_SIGN_IN,
    25: Trouble.THROTTLED,
    27: Trouble.SLOW,
    30: Trouble.THROTTLED_LONG,
    32: Trouble.SNAPSHOT,
    35: Trouble.NO_POLICIES,
    37: Trouble.NO_SNAPSHOT,
    38: Trouble.BY_DOMAIN,
}
"""By the customer's number modulo 40. With 15 samples, each trouble meets three of them."""

_NOT_READ = {
    Trouble.NOT_CONSENTED: "AADSTS700016",
    Trouble.NO_PRINCIPAL: "AADSTS7000229",
    Trouble.DISABLED: "AADSTS7000112",
    Trouble.GONE: "AADSTS90002",
    Trouble.SILENT: "no answer from localhost",
    Trouble.SILENT_SIGN_IN: "no answer from localhost",
    Trouble.THROTTLED_LONG: "wait",
    Trouble.NO_SNAPSHOT: "there is no such file",
}
"""A text of the error, for the troubles after which there is no audit."""


class Customer(NamedTuple):
    """One customer. `key` identifies its runs in the history: the tenant's id, or the name if nothing has an id."""

    number: int
    name: str
    tenant: str
    domain: str
    sample: str
    trouble: Trouble
    tags: tuple[str, ...]

    @property
    def key(self) -> str:
        return self.name if self.trouble is Trouble.NO_SNAPSHOT else self.tenant


class Expected(NamedTuple):
    """What must come of a customer: can users connect, the exit code of its run, and a text of its error, if any."""

    state: State
    exit_code: int
    error: str = ""


def customers(number: int = NUMBER) -> tuple[Customer, ...]:
    """The first customers, always the same ones."""
    return tuple(_customer(one) for one in range(number))


def _customer(number: int) -> Customer:
    name = f"customer-{number:03}"
    tags = ("gold" if number % 4 == 0 else "silver", *(["uk"] if number % 3 == 0 else []))
    return Customer(
        number,
        name,
        str(uuid.UUID(int=0xF1EE7000_0000_4000_8000_000000000000 + number)),
        f"{name}.example",
        tuple(SAMPLES)[number % len(SAMPLES)],
        _TROUBLES.get(number % 40, Trouble.NONE),
        tags,
    )


def expected(customer: Customer) -> Expected:
    """What must come of a customer, by hand."""
    sample_name, trouble = customer.sample, customer.trouble
    if error := _NOT_READ.get(trouble):
        return Expected(State.UNKNOWN, 3, error)
    state = SAMPLES[sample_name]
    if trouble is Trouble.REFUSING:
        # Whether the app is there, is enabled, and has grants isn't known.
        state = State.UNKNOWN
    if trouble is Trouble.PARTLY and sample_name not in GRANTED | BLOCKING:
        # What users may consent to is in the authorization policy.
        state = State.UNKNOWN
    if trouble is Trouble.NO_POLICIES and sample_name == "custom-policy":
        # Microsoft documents its own policies, and nobody documents this customer's.
        state = State.UNKNOWN
    if state is State.UNKNOWN:
        return Expected(state, 4)
    return Expected(state, 0 if state is State.CONNECTS else 1)


def why(customer: Customer) -> str:
    """What keeps users from connecting, or what keeps that from being known; empty where they connect. By hand."""
    found = expected(customer)
    if found.state is State.CONNECTS:
        return ""
    if found.state is not State.UNKNOWN:
        return WHY[customer.sample]
    return "there is no audit" if found.exit_code == 3 else customer.trouble.value


CONSENTS = {
    Trouble.NOT_CONSENTED: "not-yet",
    Trouble.NO_PRINCIPAL: "not-yet",
    Trouble.DISABLED: "disabled",
    Trouble.GONE: "no-such-tenant",
    Trouble.SILENT_SIGN_IN: "unknown",
    Trouble.PARTLY: "partly",
    Trouble.NO_POLICIES: "partly",
}
"""What each trouble means for the consent to the auditor. All others have consented; a snapshot needs none."""


def counted(whom: Iterable[Customer]) -> Counter[State]:
    """How many customers are in each state."""
    return Counter(expected(one).state for one in whom)


class World:
    """The customers' tenants, served, and the provider's configuration in `file`. `environ` holds its secrets."""

    def __init__(self, folder: Path, server: GraphServer, whom: tuple[Customer, ...], *, is_held: bool) -> None:
        self.folder, self.server, self.customers = folder, server, whom
        self.others_are_done = threading.Event()
        """The slow tenants answer once this is set."""
        if not is_held:
            self.others_are_done.set()
        self.file = folder / "fleet.yaml"
        self.environ: Mapping[str, str] = {**server.env(), "SECRET": CLIENT_SECRET, "OWN_SECRET": OWN_SECRET}

    def of(self, trouble: Trouble) -> tuple[Customer, ...]:
        """The customers with this trouble."""
        return tuple(one for one in self.customers if one.trouble is trouble)

    def expected(self) -> dict[str, Expected]:
        """What must come of each customer, by its key in the history."""
        return {one.key: expected(one) for one in self.customers}

    def configure(self, history: str = "{file: history.db}", more: str = "") -> Path:
        """Write the provider's configuration. Customers without anything special are in a CSV file."""
        rows = ["tenant,name,tags"]
        entries = []
        for one in self.customers:
            if one.trouble is Trouble.NONE and one.number % 2:
                rows.append(f"{one.tenant},{one.name},{';'.join(one.tags)}")
            else:
                entries.append("  - " + _entry(one, self.server))
        (self.folder / "customers.csv").write_text("\n".join(rows) + "\n")
        head = _CONFIGURATION.format(
            client=CLIENT_ID, authority=self.server.authority, graph=self.server.graph, history=history, more=more
        )
        self.file.write_text(head + "\n".join(entries) + "\n")
        return self.file


_CONFIGURATION = """\
version: 1
history: {history}
defaults:
  packs: [trackerrms-uk]
  credential: {{client-id: {client}, secret: {{env: SECRET}}}}
  authority-host: "{authority}"
  graph-endpoint: "{graph}"
{more}tenants:
  - csv: customers.csv
"""
_SHORT = 1
"""Seconds after which a tenant that never answers is given up."""


def _entry(customer: Customer, server: GraphServer) -> str:
    entry: Json = {"name": customer.name, "tags": list(customer.tags)}
    match customer.trouble:
        case Trouble.SNAPSHOT | Trouble.NO_SNAPSHOT:
            return json.dumps({**entry, "snapshot": f"{customer.name}.json"})
        case Trouble.SILENT | Trouble.SILENT_SIGN_IN:
            entry["timeout"] = _SHORT
        case Trouble.SLOW:
            entry["timeout"] = 3600
        case Trouble.OWN_APP:
            entry["credential"] = {"client-id": OWN_CLIENT, "secret": {"env": "OWN_SECRET"}}
        case Trouble.CERTIFICATE:
            entry["credential"] = {"client-id": CLIENT_ID, "certificate": {"file": str(server.certificate_file())}}
        case _:
            pass
    by = customer.domain if customer.trouble is Trouble.BY_DOMAIN else customer.tenant
    return json.dumps({**entry, "tenant": by})


@cache
def _sample(name: str) -> ServedTenant:
    return ServedTenant(json.loads(dumps(sample(name))))


def document(customer: Customer) -> Json:
    """The customer's tenant as a snapshot document."""
    tenant = _sample(customer.sample)
    served = tenant.renamed(customer.tenant, customer.name.title(), customer.domain)
    # The built-in policies name the tenant whose own apps users may consent to.
    policies = json.dumps(tenant.rows("permissionGrantPolicies")).replace(tenant.id, customer.tenant)
    return {
        **served.document,
        "sections": {**served.document["sections"], "permissionGrantPolicies": json.loads(policies)},
    }


def _serve(customer: Customer, server: GraphServer, others_are_done: threading.Event) -> None:
    tenant = server.add_tenant(document(customer))
    match customer.trouble:
        case Trouble.NOT_CONSENTED:
            server.set_consent(tenant.id, refused=Refusal.NOT_FOUND)
        case Trouble.NO_PRINCIPAL:
            server.set_consent(tenant.id, refused=Refusal.NO_SERVICE_PRINCIPAL)
        case Trouble.DISABLED:
            server.set_consent(tenant.id, refused=Refusal.DISABLED)
        case Trouble.GONE:
            server.remove_tenant(tenant.id)
        case Trouble.PARTLY:
            server.set_consent(tenant.id, roles=set(AUDIT_ROLES) - {"Policy.Read.All"})
        case Trouble.NO_POLICIES:
            server.set_consent(tenant.id, roles=set(AUDIT_ROLES) - {"Policy.Read.PermissionGrant"})
        case Trouble.SILENT:
            server.fault("/", Silence(), times=None, tenant=tenant.id)
        case Trouble.SILENT_SIGN_IN:
            server.token_fault(Silence(), match=f"/{tenant.id}/oauth2", times=None)
        case Trouble.THROTTLED:
            server.throttle(1, tenant=tenant.id, times=2)
        case Trouble.THROTTLED_APP:
            server.throttle(1, tenant=tenant.id, scope="Application")
        case Trouble.THROTTLED_LONG:
            server.throttle(3600, tenant=tenant.id, times=None)
        case Trouble.FAILING:
            server.fault("/", Status(503), times=2, tenant=tenant.id)
        case Trouble.RESETTING:
            server.fault("/", Reset(), tenant=tenant.id)
        case Trouble.REFUSING:
            server.fault("/servicePrincipals", Status(403), times=None, tenant=tenant.id)
        case Trouble.OWN_APP:
            server.set_consent(tenant.id, refused=Refusal.NOT_FOUND)
        case Trouble.SLOW:
            server.fault("/", Held(others_are_done), tenant=tenant.id)
        case _:
            pass


@contextmanager
def world(folder: Path, number: int = NUMBER, *, is_held: bool = False) -> Iterator[World]:
    """The world, served as long as the context is open. The provider's own tenant is the first of the server.

    With `is_held`, the slow tenants don't answer before `others_are_done` is set.
    """
    provider = ServedTenant(_sample("admin-consented").document)
    provider = provider.renamed("99999999-9999-4999-8999-999999999999", "The Provider", "provider.example")
    with GraphServer(provider.document) as server:
        found = World(folder, server, customers(number), is_held=is_held)
        server.clients[OWN_CLIENT] = Client(OWN_CLIENT, OWN_SECRET, frozenset(AUDIT_ROLES))
        for one in found.customers:
            if one.trouble is Trouble.SNAPSHOT:
                (folder / f"{one.name}.json").write_text(json.dumps(document(one)))
            elif one.trouble is not Trouble.NO_SNAPSHOT:
                _serve(one, server, found.others_are_done)
        found.configure()
        yield found
