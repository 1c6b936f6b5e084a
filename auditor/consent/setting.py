"""The tenant's user consent setting, as the portal names it.

Source: Entra, "Configure how users consent to applications", and the page User consent settings of the portal.
"""

from __future__ import annotations

import msgspec

from auditor.consent.policies import self_consent_ids
from auditor.consent.reading import NotRead, assigned_policies
from auditor.model.snapshot import Snapshot
from auditor.model.wellknown import POLICY_LEGACY, POLICY_LOW, POLICY_MAIL_CLIENTS, POLICY_RECOMMENDED


class Setting(msgspec.Struct, frozen=True):
    """Key (``none``, ``low``, ``recommended``, ``legacy``, ``custom``), the portal's label, and the policies."""

    key: str
    label: str
    policies: tuple[str, ...]


_LABELS = {
    frozenset[str](): ("none", "Do not allow user consent"),
    frozenset({POLICY_LOW}): (
        "low",
        "Allow user consent for apps from verified publishers, for selected permissions",
    ),
    frozenset({POLICY_RECOMMENDED}): ("recommended", "Let Microsoft manage your consent settings"),
    frozenset({POLICY_RECOMMENDED, POLICY_MAIL_CLIENTS}): (
        "recommended",
        "Let Microsoft manage your consent settings, with popular mail clients allowed",
    ),
    frozenset({POLICY_LEGACY}): ("legacy", "Allow user consent for apps"),
}


def user_consent_setting(snapshot: Snapshot) -> Setting | NotRead:
    """Which of the portal's choices the tenant made; ``custom`` for what only Graph or PowerShell can set."""
    entries = assigned_policies(snapshot)
    if isinstance(entries, NotRead):
        return entries
    policies = self_consent_ids(entries)
    known = _LABELS.get(frozenset(p.lower() for p in policies))
    if known is None:
        return Setting("custom", f"customized with Microsoft Graph or PowerShell ({', '.join(policies)})", policies)
    return Setting(known[0], known[1], policies)
