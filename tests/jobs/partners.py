"""A partner's tenant with customers, and configurations that list them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from auditor.history import History
from auditor.jobs.customer_lists import ListedConfiguration, with_customers
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.secret_references import Secrets
from tests.graphserver import CLIENT_ID, CLIENT_SECRET, PARTNER_ROLES, GraphServer

PARTNER = "99999999-9999-4999-8999-999999999999"
FIRST = "aaaaaaaa-0000-4000-8000-000000000001"
SECOND = "bbbbbbbb-0000-4000-8000-000000000002"
THIRD = "cccccccc-0000-4000-8000-000000000003"
READER, HELPDESK = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "729827e3-9c14-49f7-bb1b-9608f156bbb8"
NOW = "2026-11-22T02:00:00Z"


def customer(tenant: str, name: str | None) -> dict[str, Any]:
    return {"id": tenant, "tenantId": tenant, "displayName": name}


def relationship(
    tenant: str, name: str, status: str = "active", ends: str = "2027-05-01T10:00:00.1234567Z", extend: str = "PT0S"
) -> dict[str, Any]:
    """A relationship with the roles reader and helpdesk, of which reader is assigned."""
    roles = [{"roleDefinitionId": READER.upper()}, {"roleDefinitionId": HELPDESK}]
    assigned = [
        {"id": "1", "status": "active", "accessDetails": {"unifiedRoles": roles[:1]}},
        {"id": "2", "status": "deleted", "accessDetails": {"unifiedRoles": roles[1:]}},
    ]
    return {
        "id": name,
        "displayName": name,
        "status": status,
        "customer": {"tenantId": tenant, "displayName": "A copy"},
        "accessDetails": {"unifiedRoles": roles},
        "endDateTime": ends,
        "autoExtendDuration": extend,
        "accessAssignments": assigned,
    }


def contract(tenant: str, name: str, domain: str, kind: str = "ResellerPartner") -> dict[str, Any]:
    names = {"displayName": name, "defaultDomainName": domain, "contractType": kind}
    return {"id": f"{kind}-{tenant}", "customerId": tenant, **names}


SECTIONS: dict[str, Any] = {
    "delegatedAdminCustomers": [
        customer(FIRST, "Contoso"),
        customer(SECOND, "Fabrikam"),
        customer(THIRD, "Tailspin"),
    ],
    "delegatedAdminRelationships": [
        relationship(FIRST, "first", extend="P180D"),
        relationship(FIRST, "earlier", "expired", "2026-05-01T10:00:00Z"),
        relationship(SECOND, "second", ends="2026-12-01T10:00:00Z"),
        relationship(THIRD, "third", "approvalPending"),
    ],
    "contracts": [
        contract(FIRST, "Contoso Ltd", "contoso.example"),
        contract(FIRST, "Contoso Ltd", "contoso.example", "BreadthPartner"),
        contract(SECOND, "Fabrikam", "fabrikam.example"),
    ],
}


@contextmanager
def partner_server(*, roles: tuple[str, ...] = PARTNER_ROLES, **options: Any) -> Iterator[GraphServer]:
    """A server with the partner's tenant alone."""
    document = {"tenant": {"id": PARTNER, "name": "A partner"}, "sections": dict(SECTIONS)}
    with GraphServer(document, roles=roles, **options) as server:
        yield server


class Lists:
    """A configuration in a folder, whose lists are read from the server of a partner."""

    def __init__(self, folder: Path, server: GraphServer | None = None) -> None:
        self.folder = folder
        self.server = server
        self.environ = {"AUDIT_SECRET": CLIENT_SECRET, **(server.env() if server else {})}

    def partner(self, kind: str = "gdap", settings: str = "") -> str:
        """The entry of a list in the partner's tenant."""
        assert self.server is not None, "only a server has a partner"
        return (
            f"{{{kind}: {{tenant: {PARTNER}, credential: {{client-id: {CLIENT_ID}, secret: {{env: AUDIT_SECRET}}}},"
            f" authority-host: '{self.server.authority}', graph-endpoint: '{self.server.graph}'}}{settings}}}"
        )

    def write(self, *entries: str) -> str:
        """The path of a configuration with these entries."""
        path = self.folder / "fleet.yaml"
        path.write_text("\n  - ".join(["version: 1\ndefaults: {packs: [trackerrms-uk]}\ntenants:", *entries]) + "\n")
        return str(path)

    def read(
        self, *entries: str, history: History | None = None, now: str = NOW, **options: Any
    ) -> ListedConfiguration:
        """The configuration of these entries, with its lists read."""
        configuration = load_configuration(self.write(*entries))
        return with_customers(configuration, Secrets(self.environ), history, now=now, **options)
