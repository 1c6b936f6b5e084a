"""The one app registration with which a provider audits the tenants of all customers."""

from __future__ import annotations

import msgspec

from auditor.facts.ids import CONSENT_RETURN
from auditor.model.onboarding import AskedPermission

PLACEHOLDER_CLIENT = "00000000-0000-0000-0000-000000000000"
"""In a new configuration, in place of the client id that the registration gets."""
PERMISSIONS_FILE = "required-resource-access.json"
AZ_SCRIPT = "register.sh"
POWERSHELL_SCRIPT = "register.ps1"
CONFIGURATION_FILE = "consent-auditor.yaml"
CUSTOMERS_FILE = "customers.csv"
STEPS_FILE = "register.md"
CERTIFICATE_FILE = "consent-auditor.pem"


class ListingPermission(msgspec.Struct, frozen=True, kw_only=True):
    """An application permission that lists the customers, in the provider's own tenant only."""

    name: str
    id: str
    title: str


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What to register: an app for the tenants of any organization, with application permissions and no secret.

    `permissions` are those that customers are asked for. `listing` are those that the app's service principal gets in
    the provider's tenant alone: they aren't in the registration, so that no customer is asked for them. `partner` is
    that tenant, an id or a domain; empty if it isn't known. `customers` is where the list of customers is kept:
    ``csv``, ``gdap`` or ``contracts``. `packs` are the names for which the permissions are.
    """

    name: str
    permissions: tuple[AskedPermission, ...]
    packs: tuple[str, ...]
    redirect_uri: str = CONSENT_RETURN
    listing: tuple[ListingPermission, ...] = ()
    customers: str = "csv"
    partner: str = ""
    provider: str = ""
    cloud: str = "global"
