"""The customers of a partner, as a list of them says: who they are, and which access the partner agreed with them.

A list says who is a customer. It gives nobody access to the customer's tenant: that comes from the customer's consent
to the audit's app.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from auditor.model.snapshot import CredentialEnd


class ListKind(StrEnum):
    """Where a list of customers is kept."""

    SNAPSHOTS = "snapshots"
    """A folder of snapshots and bundles, one for each customer."""
    GDAP = "gdap"
    """Delegated admin relationships in the partner's tenant."""
    CONTRACTS = "contracts"
    """The contracts of the partner's tenant."""


class Relationship(msgspec.Struct, frozen=True, kw_only=True):
    """A granular delegated admin relationship (GDAP) of the partner with a customer.

    `status` is Graph's: active, expiring, expired, terminated, approvalPending and so on; `in_force` says whether the
    partner has its roles with this status. `ends` is its ``endDateTime``, empty until the customer approves. `extends`
    says that it is extended by itself when it ends (``autoExtendDuration`` other than ``PT0S`` and ``P0D``). `roles`
    are the template ids of the Entra roles agreed, `assigned_roles` those that a security group of the partner has;
    none if that could not be read. None of it is access of the audit's app.
    """

    id: str
    name: str = ""
    status: str = ""
    in_force: bool = False
    ends: str = ""
    extends: bool = False
    roles: tuple[str, ...] = ()
    assigned_roles: tuple[str, ...] | None = None


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """A customer in a list. `tenant` is the tenant's id, in lower case, empty for a snapshot that doesn't say it.

    `name` is what the list calls it, which the customer chose and which may be any text. `label` is its name in the
    configuration, the reports' folders and messages: safe for a folder, and that of no other tenant. `domain` is the
    default domain when the contract was made. `snapshot` is its file. `since` is the UTC time of the list in which the
    customer was new, empty if the first list had it; `gone` that of the first list without it, if any.
    """

    tenant: str
    name: str
    source: str
    label: str = ""
    domain: str = ""
    snapshot: str = ""
    relationships: tuple[Relationship, ...] = ()
    since: str = ""
    gone: str = ""

    @property
    def key(self) -> str:
        """What identifies the customer in a list: its tenant's id, or the name of a file that doesn't say it."""
        return self.tenant or re.split(r"[/\\]", self.snapshot)[-1]


class CustomerList(msgspec.Struct, frozen=True, kw_only=True):
    """The customers of one source at the UTC time `taken`, by label; `tried` is when it was read last, or should be.

    `source` identifies the source in every run, as in ``gdap:partner.onmicrosoft.com``. If it could not be read,
    `error` says why, `advice` what to do, and `customers` and `taken` are those of the last list that was read; both
    are empty if there is none. `new` and `gone` are customers that the last list didn't have, and that it had; a
    first list has neither. `notes` are sentences on what could not be read of a list or was decided about it.
    `credential` says when the credential that reads the list ends; it is the app's, which customers may share.
    """

    source: str
    kind: ListKind
    taken: str = ""
    tried: str = ""
    customers: tuple[Customer, ...] = ()
    new: tuple[Customer, ...] = ()
    gone: tuple[Customer, ...] = ()
    error: str = ""
    advice: str = ""
    notes: tuple[str, ...] = ()
    credential: CredentialEnd | None = None
