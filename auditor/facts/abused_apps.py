"""Apps that attackers are known to use: the shipped list, your own lists, and how old they are.

``abused_apps.json`` is ``rules/abused-apps.yaml`` as it was decoded, so that an audit doesn't parse YAML; a test
compares the two. The list names a source for each app. An app that isn't in a list isn't safe for that reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache

from auditor.facts import load_table
from auditor.model.report import AbusedApp, AbusedAppsList, AbusedAppsRef


@cache
def shipped_list() -> AbusedAppsList:
    """The list that ships with the program."""
    return load_table("abused_apps", AbusedAppsList)


def lists_with(own: Sequence[AbusedAppsList]) -> tuple[AbusedAppsList, ...]:
    """Every list to apply: the shipped one, then your own."""
    return (shipped_list(), *own)


def abused_by_id(lists: Sequence[AbusedAppsList]) -> Mapping[str, AbusedApp]:
    """The apps of all lists by client id in lower case. Of two entries for one app, that of the last list counts."""
    return {app.client_id: app for one in lists for app in one.apps}


def reference_to(one: AbusedAppsList, taken: str) -> AbusedAppsRef:
    """What a report says about the list; `taken` is the time of the snapshot."""
    return AbusedAppsRef(
        name=one.name, digest=one.digest, read=one.read, count=len(one.apps), days_old=days_between(one.read, taken)
    )


def days_between(read: str, taken: str) -> int | None:
    """How old a list of the day `read` was at the time of the snapshot: 0 or more; none without these days."""
    try:
        return max((date.fromisoformat(taken[:10]) - date.fromisoformat(read)).days, 0)
    except ValueError:
        return None
