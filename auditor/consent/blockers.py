"""What blocks a request before Entra considers consent, in the order in which Entra checks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from auditor.consent.client import Client
from auditor.consent.permission import Permission, ResourceApp
from auditor.consent.truth import Truth, known
from auditor.model.decision import Reason
from auditor.model.rule import App


class Blocker(msgspec.Struct, frozen=True, kw_only=True):
    """Something that blocks the request if `truth` is true; `because` is a clause without a full stop."""

    truth: Truth
    reason: Reason
    code: str
    because: str
    needs: str = ""
    caveats: tuple[str, ...] = ()


def blockers_of(
    app: App,
    client: Client,
    needed: tuple[ResourceApp, ...],
    resources: Iterable[ResourceApp],
    asked: tuple[Permission, ...],
) -> tuple[Blocker, ...]:
    """Everything that blocks the request or may block it, in order; `needed` are the apps that `app` also needs."""
    named = {one.app_id for one in needed}
    others = tuple(resource for resource in resources if resource.app_id not in named)
    found = (
        *_of_client(client),
        *_of_needed_apps(app, needed),
        *_of_resources(others, asked),
        *_of_redirect_uri(app, client),
        *_of_scopes(asked),
    )
    return tuple(blocker for blocker in found if blocker.truth is not Truth.FALSE)


def _of_client(client: Client) -> Iterator[Blocker]:
    yield Blocker(
        truth=client.deactivated,
        reason=Reason.APP_DEACTIVATED,
        code="",
        because="the publisher has deactivated the app's registration",
        needs=f"whether the publisher deactivated the app ({client.unread})",
        caveats=("the AADSTS code of a deactivated app is not documented",),
    )
    yield Blocker(
        truth=client.disabled_by_microsoft,
        reason=Reason.APP_DISABLED_BY_MICROSOFT,
        code="",
        because="Microsoft has disabled the app for a violation of its services agreement",
        needs=f"whether Microsoft disabled the app ({client.unread})",
        caveats=("the AADSTS code of an app that Microsoft disabled is not documented",),
    )
    yield Blocker(
        truth=~client.enabled,
        reason=Reason.APP_DISABLED_IN_TENANT,
        code="AADSTS7000112",
        because="sign-in to the app is switched off in this tenant",
        needs=f"whether sign-in to the app is switched on ({client.unread})",
    )


def _of_needed_apps(app: App, needed: tuple[ResourceApp, ...]) -> Iterator[Blocker]:
    """The first app that is missing is the cause, whatever the request fails with: it comes before the resources.

    The vendor's own API is in a tenant only after an administrator consented to it. Until then, a request for its
    scopes ends with AADSTS650052, and a token request of the other app with AADSTS65001.
    """
    for one, need in zip(needed, app.also_needs, strict=True):
        unwritten = "the vendor doesn't say in writing that the app needs another app" if need.assumed else ""
        caveats = (unwritten,) if unwritten else ()
        yield Blocker(
            truth=one.missing,
            reason=Reason.NEEDED_APP_MISSING,
            code="AADSTS650052 or AADSTS65001",
            because=f"it also needs the app {one.name}, which is not in this tenant yet",
            needs=f"whether {one.name}, which it also needs, is in this tenant ({one.unread})",
            caveats=caveats,
        )
        yield Blocker(
            truth=one.disabled,
            reason=Reason.RESOURCE_DISABLED,
            code="AADSTS500014",
            because=f"{one.name}, which it also needs, is disabled in this tenant",
            needs=f"whether {one.name}, which it also needs, is enabled ({one.unread})",
            caveats=caveats,
        )


def _of_resources(resources: Iterable[ResourceApp], asked: tuple[Permission, ...]) -> Iterator[Blocker]:
    named = {p.resource for p in asked if p.required and not p.implicit}
    for resource in resources:
        name = resource.name
        caveats = (
            ()
            if resource.app_id in named
            else ("the app requests Microsoft Graph only through the scopes that Entra adds",)
        )
        yield Blocker(
            truth=resource.missing,
            reason=Reason.RESOURCE_MISSING,
            code="AADSTS650052",
            because=f"{name} is not present in this tenant, which usually means that no licence includes it",
            needs=f"whether {name} is present ({resource.unread})",
            caveats=caveats,
        )
        yield Blocker(
            truth=resource.disabled,
            reason=Reason.RESOURCE_DISABLED,
            code="AADSTS500014",
            because=f"{name} is disabled in this tenant, which happens when a subscription lapses",
            needs=f"whether {name} is enabled ({resource.unread})",
            caveats=caveats,
        )


def _of_redirect_uri(app: App, client: Client) -> Iterator[Blocker]:
    if not app.redirect_uris or client.reply_urls is None:
        return
    registered = client.reply_urls
    matches = any(_same_address(uri, pattern) for uri in app.redirect_uris for pattern in registered)
    yield Blocker(
        truth=known(not matches),
        reason=Reason.REDIRECT_URI_NOT_REGISTERED,
        code="AADSTS50011" if registered else "AADSTS500113",
        because=f"the app's registration does not list the redirect URI {app.redirect_uris[0]}",
    )


def _same_address(uri: str, registered: str) -> bool:
    """Whether a redirect URI is the registered one; a registration may hold ``*`` (legacy wildcards).

    Letter case is ignored. Entra compares paths exactly, but a difference in case alone doesn't prove that the
    vendor made a mistake, and reporting one would hide the setting that really decides.
    """
    pattern = ".*".join(re.escape(piece) for piece in registered.lower().split("*"))
    return re.fullmatch(pattern, uri.lower()) is not None


def _of_scopes(asked: tuple[Permission, ...]) -> Iterator[Blocker]:
    for permission in asked:
        if not permission.required or permission.implicit:
            continue
        if permission.exists is Truth.FALSE:
            yield Blocker(
                truth=Truth.TRUE,
                reason=Reason.SCOPE_DOES_NOT_EXIST,
                code="AADSTS650053",
                because=f"{permission.resource_name} has no scope named {permission.value}",
            )
        elif permission.enabled is Truth.FALSE:
            yield Blocker(
                truth=Truth.TRUE,
                reason=Reason.SCOPE_DISABLED,
                code="AADSTS650053",
                because=f"the scope {permission.value} of {permission.resource_name} is disabled",
                caveats=("Microsoft doesn't document whether Entra refuses a disabled scope like an unknown one",),
            )
        elif permission.exists is Truth.UNKNOWN:
            yield Blocker(
                truth=Truth.UNKNOWN,
                reason=Reason.SCOPE_DOES_NOT_EXIST,
                code="AADSTS650053",
                because=f"{permission.resource_name} may have no scope named {permission.value}",
                needs=f"whether {permission.resource_name} has a scope named {permission.value}",
            )
