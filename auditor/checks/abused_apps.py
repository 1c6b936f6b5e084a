"""The check on apps that attackers are known to use: what such an app holds, who consented to it, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from auditor.checks.kind import (
    ArgumentProblem,
    Arguments,
    CheckContext,
    CheckKind,
    CheckResult,
    SchemaPart,
    compared,
    failed,
    first_names,
    passed,
    text_at,
    unknown,
)
from auditor.consent import Truth
from auditor.consent.explanation import listed
from auditor.consent.snapshot_index import NotRead, SnapshotIndex
from auditor.facts.abused_apps import OLD_AFTER, days_between
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, SHAREPOINT_ONLINE
from auditor.facts.permissions import APP_ROLES
from auditor.model.document import count
from auditor.model.report import AbusedApp, Evidence, FindingSubject
from auditor.model.resources import AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal
from auditor.model.rule import App
from auditor.model.snapshot import Plan, Snapshot

if TYPE_CHECKING:
    from auditor.apps.consent_events import ConsentEvent

_RESOURCES = (MICROSOFT_GRAPH, EXCHANGE_ONLINE, SHAREPOINT_ONLINE)
"""The resources whose application permissions listed apps hold: the mail and the files of the tenant."""
_IS_APP = "serviceprincipal"
_CONSENTS = 5
"""Consents to one app that the evidence shows, the newest first."""
_SHOWN = 50
"""Apps that the evidence names."""
_PHRASES = {
    "malicious": "known malicious app",
    "legitimate": "legitimate app that attackers also use",
    "any": "known abused app",
}
_MANY = {
    "malicious": "known malicious apps",
    "legitimate": "legitimate apps that attackers also use",
    "any": "known abused apps",
}


class NoAbusedApps(CheckKind, frozen=True, tag="no-abused-apps"):
    """No app of the lists of known abused apps holds a delegated grant or an application permission.

    With `apps: malicious` or `apps: legitimate`, only such apps of the lists count. With `since`, only apps to which
    somebody consented on that day or later; a day in the entry of an app comes first. The audit log says who consented
    and when. The lists are the shipped one and those of ``--abused``; the check says nothing about other apps.
    """

    setting_id: ClassVar[str] = "abused-apps"
    apps: Literal["any", "malicious", "legitimate"] = "any"
    since: str = ""

    def reads(self, app: App | None) -> Plan:
        return Plan(clients=_RESOURCES, whole=("oauth2PermissionGrants", "servicePrincipals"))

    def sentence(self) -> str:
        raise NotImplementedError
