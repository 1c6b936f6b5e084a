"""The addresses at which a script looks before it changes anything, as text with the placeholders of requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from auditor.fixes.requests import NEW_SERVICE_PRINCIPAL


def where(url: str, **equal: str) -> str:
    """The objects at `url` whose properties have these values."""
    terms = "%20and%20".join(f"{name}%20eq%20%27{_value(value)}%27" for name, value in equal.items())
    return f"{url}?$filter={terms}"


def grant_rows(url: str, body: Mapping[str, Any]) -> str:
    """The client's grants of the same kind; Graph filters by client and user, the resource is picked out after."""
    if principal := body.get("principalId"):
        return where(url, clientId=str(body["clientId"]), principalId=str(principal))
    return where(url, clientId=str(body["clientId"]), consentType=str(body["consentType"]))


def selected(url: str, name: str) -> str:
    """One property of the object at `url`."""
    return f"{url}?$select={name}"


def _value(text: str) -> str:
    return text if text == NEW_SERVICE_PRINCIPAL else quote(text.replace("'", "''"), safe="")
