"""What Graph and PowerShell wrap around the data of one answer, and how to take it off."""

from __future__ import annotations

from typing import Any


def unwrapped(raw: Any) -> Any:
    """The list in a list response; Windows PowerShell wraps inner lists so as well, with a ``Count``."""
    if not isinstance(raw, dict):
        return raw
    items = raw.get("value", raw.get("Value"))
    if not isinstance(items, list):
        return raw
    others = [key for key in raw if key.lower() not in ("value", "count") and "@" not in key]
    return raw if others else items


def as_list(raw: Any) -> Any:
    """A list, where PowerShell prints a collection of one as that one."""
    items = unwrapped(raw)
    return [items] if isinstance(items, dict) and items else items


def as_one(raw: Any) -> Any:
    """An object, where Graph or a pipeline made a collection of one."""
    items = unwrapped(raw)
    return items[0] if isinstance(items, list) and len(items) == 1 else items


def as_it_is(raw: Any) -> Any:
    """What nobody wraps."""
    return raw


def complaint(raw: Any) -> str:
    """Why this is no complete answer of Graph, or nothing."""
    if not isinstance(raw, dict):
        return ""
    error = raw.get("error")
    if isinstance(error, dict):
        return f"is an error that Graph answered ({error.get('code', 'no code')}); it belongs under unread"
    if raw.get("@odata.nextLink"):
        return "is only the first page (it has @odata.nextLink); put the items of all pages into one list"
    return ""
