"""What an error code or a pasted text means, and whether a tenant would answer so: ``consent-auditor/explanation``."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from auditor.model.decision import AppRef, Confidence, Fix, Outcome, Reason
from auditor.model.rule import Setting
from auditor.model.snapshot import Tenant

FORMAT = "consent-auditor/explanation"
VERSION = 1


class Fixer(StrEnum):
    """Who can do something about a code."""

    USER = "user"
    ADMIN = "admin"
    VENDOR = "vendor"
    MICROSOFT = "microsoft"


class TextKind(StrEnum):
    """What the pasted text is."""

    CODE = "code"
    """A code alone."""
    TEXT = "text"
    """A page, a message or a log that was copied."""
    ERROR_ADDRESS = "error-address"
    """Microsoft's page about a code."""
    CALLBACK = "callback"
    """The address to which Entra sent the user back, with an error."""
    CONNECTED = "connected"
    """The address to which Entra sent the user back after a sign-in or an administrator's consent that succeeded."""
    SIGN_IN_ADDRESS = "sign-in-address"
    """An authorize or admin consent address."""


class TextFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the text says about the sign-in that failed. Each is empty if the text doesn't say it.

    Nothing here is a secret: authorization codes and tokens are never taken from a text. `has_secret` says that the
    text holds one. `errors` are the names of errors without a number, such as ``access_denied``. `at` is the UTC time
    of the error.
    """

    kind: TextKind
    errors: tuple[str, ...] = ()
    app_name: str = ""
    client_id: str = ""
    resource: str = ""
    scopes: tuple[str, ...] = ()
    user: str = ""
    tenant: str = ""
    redirect_uri: str = ""
    correlation_ids: tuple[str, ...] = ()
    trace_id: str = ""
    at: str = ""
    has_secret: bool = False


class CodeSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where the meaning of a code is from; what is `reported` isn't Microsoft's page. `date` is the page's own."""

    title: str
    url: str = ""
    date: str = ""
    read: str = ""
    reported: bool = False


class ExplainedCause(msgspec.Struct, frozen=True, kw_only=True):
    """A usual cause of a code. `check` says what this program reads to find out; empty if it can't.

    `here` says whether it's the cause in the tenant; none if that isn't known or if no tenant was given.
    """

    why: str
    fixer: Fixer
    check: str = ""
    here: bool | None = None


class ExplainedCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code and its meaning. A code that isn't `known` has only an address to look it up, and `similar` known ones.

    `inferred` says that the text has no code: it was recognized by the words of its page or by the name of an error.
    """

    code: str
    known: bool = True
    name: str = ""
    title: str = ""
    meaning: str = ""
    screen: str = ""
    fixer: Fixer | None = None
    topic: str = ""
    causes: tuple[ExplainedCause, ...] = ()
    source: tuple[CodeSource, ...] = ()
    look_up: str = ""
    similar: tuple[str, ...] = ()
    inferred: bool = False


class LoggedSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the sign-in log with the correlation id of the text."""

    at: str
    app: str
    client_id: str
    user: str
    code: str
    reason: str = ""
    correlation_id: str = ""


class TenantAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the tenant would answer, for the app and the user of the text.

    `agrees` says whether the tenant, as it was read, answers with a code of the text; none if that isn't known, or if
    consent doesn't decide the code. `because` is a sentence on the decision, and `says` one on the agreement. `perhaps`
    are the explanations of a disagreement, the likeliest first. `setting` is what decides, and `setting_value` what the
    tenant chose there. `scopes_from` says where the app's scopes are from. `log` has the entries with the text's
    correlation id; `log_unread` says why there is no log.
    """

    tenant: Tenant
    taken: str = ""
    app: AppRef | None = None
    subject: str = ""
    outcome: Outcome | None = None
    confidence: Confidence | None = None
    reason: Reason | None = None
    code: str = ""
    screen: str = ""
    because: str = ""
    agrees: bool | None = None
    says: str = ""
    perhaps: tuple[str, ...] = ()
    setting: Setting | None = None
    setting_value: str = ""
    scopes_from: str = ""
    fix: Fix | None = None
    more_fixes: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    log: tuple[LoggedSignIn, ...] = ()
    log_unread: str = ""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The codes of a text, what the text says about the sign-in, and what the tenant would answer, if one was given."""

    format: str = FORMAT
    version: int = VERSION
    codes: tuple[ExplainedCode, ...]
    text: TextFacts
    app: AppRef | None = None
    request_faults: tuple[str, ...] = ()
    tenant_says: TenantAnswer | None = None
