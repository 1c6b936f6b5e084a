"""The links that an administrator opens: admin consent for one app in one tenant.

Source: Microsoft identity platform, "Admin consent" (v2.0 endpoint) and "Grant tenant-wide admin consent" (the
older endpoint, which grants what the app's registration lists).
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from auditor.facts.clouds import CLOUDS
from auditor.model.app import App
from auditor.model.snapshot import Snapshot

OPEN_TENANT = "organizations"
"""Means "the tenant of whoever signs in", for a tenant whose id is not known."""


def admin_consent_link(snapshot: Snapshot, app: App) -> str:
    """The address at which an administrator of this tenant grants what the app's registration lists."""
    cloud = CLOUDS.get(snapshot.cloud, CLOUDS["global"])
    tenant = quote(snapshot.tenant.id or OPEN_TENANT, safe="")
    query = {"client_id": app.client_id}
    if app.redirect_uris:
        query["redirect_uri"] = app.redirect_uris[0]
    return f"{cloud.authority}/{tenant}/adminconsent?{urlencode(query, quote_via=quote, safe=':/')}"


def portal_address(snapshot: Snapshot) -> str:
    """The admin center of the snapshot's cloud."""
    return CLOUDS.get(snapshot.cloud, CLOUDS["global"]).portal
