"""The error codes of Entra's sign-in (AADSTS): what each means here, what causes it, and who can fix it.

The table is ``sign_in_codes.json``, which names its sources: a page of Microsoft's for most codes, or else who reports
the code. It is loaded when the first code is looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

import msgspec

from auditor.facts import load_table
from auditor.model.decision import Reason
from auditor.model.explanation import Fixer

LOOK_UP = "https://login.microsoftonline.com/error?code={code}"
"""Microsoft's page about a code ("Lookup current error code information" of the reference)."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of Microsoft's documentation. `date` is the one that the page itself names, if it names one."""

    title: str
    url: str
    date: str = ""


class CauseCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What this program reads to find out whether a cause is the one: a clause, and the sections of a snapshot.

    Without sections, it needs no tenant but the sign-in address of the app.
    """

    what: str
    sections: tuple[str, ...]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One cause of a code, in a sentence.

    `fixer` is who can remove it, where that isn't the fixer of the code. `check` names a row of `checks`; empty if this
    program can't find out. `reasons` are the reasons of a decision that mean this cause.
    """

    why: str
    fixer: Fixer | None = None
    check: str = ""
    reasons: tuple[Reason, ...] = ()


class SignInCode(msgspec.Struct, frozen=True, kw_only=True):
    """One code. `name` is Microsoft's symbolic name, where it publishes one.

    `causes` are in the order of what is usual. `pages` are the titles of Microsoft's pages, by their key in the table;
    a code without one is `reported` by somebody else. `logged` says that the sign-in log is searched for it, because it
    is about consent, assignment, the app or its resources. `advice` is for a sign-in of this program itself. `workflow`
    is the state of the admin consent workflow, on or off, in which users get the code; none if it's the same in both.
    """

    name: str
    title: str
    means: str
    sees: str
    fixer: Fixer
    topic: str
    causes: tuple[Cause, ...]
    pages: tuple[str, ...] = ()
    reported: str = ""
    logged: bool = False
    advice: str = ""
    workflow: bool | None = None


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase, in lower case, of a page that may show no code, and the code that the page belongs to."""

    phrase: str
    code: str


class ErrorName(msgspec.Struct, frozen=True, kw_only=True):
    """The name of an error without a number, and the code that usually is behind it, if there is one."""

    means: str
    code: str = ""


class ConsentState(StrEnum):
    """What a refused token says about an app in a tenant, if the app asks for it with its own credential."""

    NOT_CONSENTED = "not-consented"
    """The app has no enterprise application in the tenant."""
    DISABLED = "disabled"
    NO_TENANT = "no-tenant"


class _Table(msgspec.Struct, frozen=True):
    source: str
    read: str
    certificate: frozenset[str]
    consent: Mapping[ConsentState, frozenset[str]]
    pages: Mapping[str, Page]
    checks: Mapping[str, CauseCheck]
    screens: tuple[Screen, ...]
    errors: Mapping[str, ErrorName]
    labels: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, SignInCode]


@cache
def _table() -> _Table:
    return load_table("sign_in_codes", _Table)


def sign_in_codes() -> Mapping[str, SignInCode]:
    """Every code of the table, by its number as text, without the prefix AADSTS."""
    return _table().codes


def logged_codes() -> tuple[int, ...]:
    """The codes that a sign-in log is searched for; a busy app has many others."""
    return tuple(int(code) for code, one in _table().codes.items() if one.logged)


def certificate_codes() -> frozenset[str]:
    """The codes that mean that the certificate of a credential doesn't belong to the app."""
    return _table().certificate


def consent_state(code: str) -> ConsentState | None:
    """What the code says about the app in the tenant; none if it says nothing about that."""
    return next((state for state, codes in _table().consent.items() if code in codes), None)


def is_about_credential(code: str) -> bool:
    """Whether the code means that the app's own secret, certificate or assertion is wrong, in whatever tenant."""
    found = _table().codes.get(code)
    return found is not None and (found.topic == "credential" or code in certificate_codes())


def credential_advice(code: str) -> str:
    """What to do if the credential of this program gets no token because of `code`; empty if the table doesn't say."""
    found = _table().codes.get(code)
    return found.advice if found else ""


def pages_about(code: SignInCode) -> tuple[Page, ...]:
    """Microsoft's pages about the code."""
    return tuple(_table().pages[key] for key in code.pages)


def pages_read() -> str:
    """The date on which the pages were read."""
    return _table().read


def checks() -> Mapping[str, CauseCheck]:
    """What this program can find out about causes, by the key that causes name."""
    return _table().checks


def screens() -> tuple[Screen, ...]:
    """The pages that are recognized by their words, the more specific phrase first."""
    return _table().screens


def error_names() -> Mapping[str, ErrorName]:
    """The errors without a number: those of OAuth, of Microsoft's client libraries, and of the services behind."""
    return _table().errors


def label_words(kind: str) -> tuple[str, ...]:
    """The words, in lower case, before an id, a time, a code or a name of this kind, in several languages.

    The kinds are correlation, trace, request, client_id, tenant, other, time, error_code, app_name and user.
    The words of other_number and counted are before and after numbers that aren't codes.
    """
    return _table().labels[kind]
