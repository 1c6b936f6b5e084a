"""The message that asks a customer's administrator to consent to the audit's app, or to repair the consent.

It says first what to do and who can do it, then exactly what the app may read, why, and how to take it back. It holds
nothing about another customer.

Sources: Microsoft Entra, "Grant tenant-wide admin consent" (Microsoft Graph's application permissions need a Privileged
Role Administrator; a Global Administrator is one, too), "Disable user sign-in for an application", "Delete an
enterprise application", and "Configurable token lifetimes" (60 to 90 minutes by default).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from auditor.facts.ids import ADMIN_CENTER, FILL_IN_TENANT, TENANT_PLACEHOLDER
from auditor.model.document import series
from auditor.model.onboarding import AskedPermission, ConsentStatus, ReadyMessage
from auditor.render.labels import NAME_WIDTH, flat, readable_time
from auditor.render.message import Message
from auditor.render.text_layout import clip, safe

CONSENT_ROLE = "Privileged Role Administrator or Global Administrator"
ENABLE_ROLE = "Cloud Application Administrator"
ITEM = "* "
"""What an item of a list in a message begins with. A spreadsheet takes a dash for the start of a formula."""
_MINUTES = 2
_MOST_APPS = 3
_UNSENT = (ConsentStatus.CONSENTED, ConsentStatus.NO_TENANT)


class ConsentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the message is about.

    `asks` are all permissions that the packs need, `missing` the names of those that the tenant didn't grant, and
    `consented` the UTC time when the consent was last seen. `apps` are the names of the apps that the packs are about.
    `portal` is the address of the portal of the tenant's cloud.
    """

    status: ConsentStatus
    customer: str
    link: str
    client_id: str
    app_name: str
    asks: tuple[AskedPermission, ...]
    redirect_uri: str = ""
    provider: str = ""
    missing: tuple[str, ...] = ()
    consented: str = ""
    apps: tuple[str, ...] = ()
    portal: str = ADMIN_CENTER


def role_for(status: ConsentStatus) -> str:
    """Who can act in the customer's tenant; empty if nobody there has to."""
    if status in _UNSENT:
        return ""
    return ENABLE_ROLE if status is ConsentStatus.DISABLED else CONSENT_ROLE


def consent_message(request: ConsentRequest) -> ReadyMessage | None:
    """The message to the customer; none if there is nothing to ask, or no link."""
    if request.status in _UNSENT or not request.link:
        return None
    made = _message(request, is_brief=False)
    brief = _message(request, is_brief=True)
    return ReadyMessage(subject=made.subject, text="\n\n".join(made.paragraphs) + "\n", mailto=brief.mailto)


def _message(request: ConsentRequest, *, is_brief: bool) -> Message:
    """The message; the brief one names the permissions without what they read, so that it fits an address."""
    is_off = request.status is ConsentStatus.DISABLED
    parts = _enabling(request) if is_off else _consenting(request, is_brief=is_brief)
    return Message(safe(_subject(request)), tuple(map(_safe_lines, parts)))


def _safe_lines(paragraph: str) -> str:
    return "\n".join(map(safe, paragraph.split("\n")))


def _line(text: str) -> str:
    return clip(flat(text), NAME_WIDTH)


def _subject(request: ConsentRequest) -> str:
    whose = f" of {_line(request.provider)}" if request.provider else ""
    app = f"{_line(request.app_name)}{whose}"
    match request.status:
        case ConsentStatus.DISABLED:
            return f"Please turn on {app} in {_line(request.customer)}"
        case ConsentStatus.PARTLY | ConsentStatus.LOST:
            return f"Please approve {app} again in {_line(request.customer)}"
        case _:
            return f"Please approve {app} in {_line(request.customer)}"


def _consenting(request: ConsentRequest, *, is_brief: bool) -> Iterator[str]:
    yield from _what_happened(request)
    lines = ["Please open this link and accept:", request.link]
    if TENANT_PLACEHOLDER in request.link:
        lines.append(f"{FILL_IN_TENANT} Don't open the link before that.")
    yield "\n".join(lines)
    yield (
        f"Sign in as: {CONSENT_ROLE} of {_line(request.customer)}. Another role can't approve application permissions"
        f" of Microsoft Graph. It takes about {_MINUTES} minutes."
    )
    yield _brief_approval(request) if is_brief else _approval(request)
    yield _why(request)
    if request.redirect_uri and not is_brief:
        yield f"Afterwards: the browser opens {request.redirect_uri}, which can be blank. You have nothing to do there."
    yield _how_to_leave(request)


def _approval(request: ConsentRequest) -> str:
    return "\n".join(
        (
            f"What you approve: {_line(request.app_name)} (client ID {request.client_id}) may read this, without a"
            " signed-in user, and change nothing:",
            *(f"{ITEM}{one.name}: {one.reads}" for one in request.asks),
            "Compare this list with the one on the page, and don't accept if the page asks for more.",
        )
    )


def _brief_approval(request: ConsentRequest) -> str:
    names = series([one.name for one in request.asks])
    return f"What you approve: permissions that only read, {names}. Don't accept if the page asks for more."


def _what_happened(request: ConsentRequest) -> Iterator[str]:
    """Why the customer is asked although it has, or had, the app."""
    day = readable_time(request.consented)[:10] if request.consented else ""
    if request.status is ConsentStatus.LOST:
        when = f" (last seen {day})" if day else ""
        yield (
            f"{_line(request.app_name)} had access to your tenant{when}, and has none any more. If you ended it on"
            " purpose, ignore the rest of this message, and let us know: we then delete what we keep about your tenant."
        )
    elif request.status is ConsentStatus.PARTLY:
        names = series(request.missing)
        verb = "isn't" if len(request.missing) == 1 else "aren't"
        yield f"{_line(request.app_name)} is in your tenant, but {names} {verb} approved."


def _enabling(request: ConsentRequest) -> Iterator[str]:
    yield (
        f"{_line(request.app_name)} is in your tenant, but it is turned off there. If you did that on purpose, ignore"
        " the rest of this message, and let us know."
    )
    yield (
        f"To turn it on: {_app_in_portal(request)} > Properties, set Enabled for users to sign-in to Yes, and select"
        " Save."
    )
    yield f"Sign in as: {ENABLE_ROLE}. It takes about {_MINUTES} minutes."
    yield _why(request)
    yield _how_to_leave(request)


def _why(request: ConsentRequest) -> str:
    who = _line(request.provider)
    check, find = (f"{who} checks", "finds") if who else ("we check", "find")
    if not request.apps:
        return f"Why it's needed: {check} the settings of your tenant that decide which apps users can connect."
    names = series(_first(request.apps))
    return f"Why it's needed: {check} whether your users can connect {names}, and {find} the setting that stops them."


def _first(names: Sequence[str]) -> list[str]:
    """The first names, and how many others there are."""
    shown = [_line(name) for name in names[:_MOST_APPS]]
    more = len(names) - len(shown)
    return [*shown, f"{more} other {'app' if more == 1 else 'apps'}"] if more else shown


def _app_in_portal(request: ConsentRequest) -> str:
    return f"{request.portal} > Entra ID > Enterprise apps > All applications > {_line(request.app_name)}"


def _how_to_leave(request: ConsentRequest) -> str:
    return (
        f"To take it back at any time: {_app_in_portal(request)} > Properties > Delete. Access ends when the last token"
        " expires, usually within 90 minutes."
    )
