"""Ids of consent policies in the arguments of checks: with a prefix, as a tenant assigns them, and without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.checks.kind import ArgumentPath, ArgumentProblem, as_list, as_text
from auditor.checks.typo_suggestions import LIKELY_TYPO, nearest, typo_of
from auditor.facts.ids import POLICY_LEGACY, POLICY_LOW, POLICY_MAIL_CLIENTS, POLICY_RECOMMENDED

PREFIXES = ("ManagePermissionGrantsForSelf", "ManagePermissionGrantsForOwnedResource")
"""The prefixes, followed by a dot and the id, of a policy that is assigned to the default user role."""

RESERVED = "microsoft-"
"""The prefix of the ids of Microsoft's own policies; Graph refuses it for other policies."""

BUILT_IN = (
    *(POLICY_LEGACY, POLICY_LOW, POLICY_RECOMMENDED, POLICY_MAIL_CLIENTS),
    *("microsoft-dynamically-managed-permissions-for-chat", "microsoft-dynamically-managed-permissions-for-team"),
    *("microsoft-pre-approval-apps-for-chat", "microsoft-pre-approval-apps-for-team"),
    "microsoft-pre-approval-apps-for-group",
    *("microsoft-all-application-permissions", "microsoft-all-application-permissions-verified"),
    *("microsoft-application-admin", "microsoft-company-admin"),
)
"""The policies that Microsoft provides (Entra, "Manage app consent policies", and live tenants)."""

_FORMS = tuple(f"{prefix}." for prefix in PREFIXES)
_EXPECTED = " or ".join(f"{form}ID" for form in _FORMS)
_ALMOST = 0.9
"""The least similarity of a tenant's own id to one of Microsoft's that makes it a typo of that."""


def assigned_policy_problems(name: str, values: Any, match: str) -> Iterator[ArgumentProblem]:
    """Entries that can never be among the policies assigned to users, or, with `prefix`, never begin one."""
    for number, entry in enumerate(as_list(values)):
        if not (text := as_text(entry)):
            continue
        path, low = (name, number), text.lower()
        if match == "exact":
            # Graph keeps the entry in the letter case in which somebody wrote it.
            message = f'match: exact compares the letter case of "{text}", which differs between tenants'
            yield ArgumentProblem(path, message, is_warning=True)
        form = next((form for form in _FORMS if low.startswith(form.lower())), "")
        if match == "prefix" and any(form.lower().startswith(low) for form in _FORMS):
            continue
        if not form or (match != "prefix" and len(text) == len(form)):
            yield ArgumentProblem(path, f'"{text}" isn\'t an assigned policy', _EXPECTED, _form_of(text))
        elif match == "prefix":
            yield from _prefix_problems(path, text[len(form) :])
        else:
            yield from _id_problems(path, text[len(form) :])


def policy_id_problems(table: str, name: str, values: Any) -> Iterator[ArgumentProblem]:
    """Entries that can't be the id of a policy; here ids have no prefix."""
    for number, entry in enumerate(as_list(values)):
        if not (text := as_text(entry)):
            continue
        path = (table, name, number)
        prefix, dot, rest = text.partition(".")
        if dot and (nearest(prefix, PREFIXES, LIKELY_TYPO) or prefix.lower() in {p.lower() for p in PREFIXES}):
            message = f'"{text}" has the prefix of an assigned policy'
            yield ArgumentProblem(path, message, "the id of a policy alone", rest)
        else:
            yield from _id_problems(path, text)


def _form_of(text: str) -> str:
    """The entry that was probably meant; empty where the text contains no id."""
    prefix, dot, rest = text.partition(".")
    joined = next((p for p in PREFIXES if text.lower().startswith(p.lower())), "")
    if joined:
        prefix, rest = joined, text[len(joined) :].strip(".:-_/ ")
    elif not dot:
        prefix, rest = PREFIXES[0], "" if nearest(text, PREFIXES, LIKELY_TYPO) else text
    form = nearest(prefix, PREFIXES) or PREFIXES[0]
    return f"{form}.{typo_of(rest, BUILT_IN) or rest}" if rest else ""


def _id_problems(path: ArgumentPath, text: str) -> Iterator[ArgumentProblem]:
    """A tenant's own id may be anything but a typo of one of Microsoft's."""
    low = text.lower()
    if low in BUILT_IN:
        return
    is_reserved = low.startswith(RESERVED)
    if near := nearest(low, BUILT_IN, LIKELY_TYPO if is_reserved else _ALMOST):
        yield ArgumentProblem(path, f'Microsoft has no policy "{text}"', near=near)
    elif is_reserved:
        message = f'"{text}" isn\'t a known policy of Microsoft'
        yield ArgumentProblem(path, message, near=nearest(low, BUILT_IN), is_warning=True)


def _prefix_problems(path: ArgumentPath, text: str) -> Iterator[ArgumentProblem]:
    """The first letters of an id, with which none of Microsoft's begins."""
    low = text.lower()
    if RESERVED.startswith(low) or any(known.startswith(low) for known in BUILT_IN):
        return
    starts = {known[: len(low)] for known in BUILT_IN}
    is_reserved = low.startswith(RESERVED)
    if near := nearest(low, starts, LIKELY_TYPO if is_reserved else _ALMOST):
        yield ArgumentProblem(path, f'no policy of Microsoft begins with "{text}"', near=near)
    elif is_reserved:
        message = f'no known policy of Microsoft begins with "{text}"'
        yield ArgumentProblem(path, message, is_warning=True)
