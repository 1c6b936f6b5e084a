"""Names for the customers of a list: safe for a folder on every system, and that of no other tenant.

A customer chooses the display name of its tenant, so that it can be any text: the name of another customer, a path, or
signs that nobody sees.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain, count

import msgspec

from auditor.jobs.nightly_forms import folder_name
from auditor.model.customers import Customer

_FORBIDDEN = str.maketrans(dict.fromkeys('/\\:*?"<>|', "-"))
_LONGEST = 60
"""Characters of a name, and at most twice as many bytes with the end that makes it unique: a folder has 120."""
_MOST_BYTES = 80
_END_OF_ID = 8


def name_key(name: str) -> str:
    """What two names have in common that would be one folder on some system."""
    return unicodedata.normalize("NFKC", name).casefold()


def safe_name(text: str) -> str:
    """The text as the name of a folder; empty if nothing of it can be in one."""
    shown = "".join(" " if sign.isspace() else sign for sign in unicodedata.normalize("NFKC", text))
    shown = "".join(sign for sign in shown if not unicodedata.category(sign).startswith("C"))
    # A name that begins with a hyphen would be an option on the command line, and with another sign of these a formula.
    shown = " ".join(shown.translate(_FORBIDDEN).split()).lstrip(".-=+@ ")[:_LONGEST]
    shown = shown.encode()[:_MOST_BYTES].decode(errors="ignore").rstrip(". ")
    return shown if shown and folder_name(shown) is None else ""


def with_labels(
    customers: Iterable[Customer], given: Mapping[str, str], taken: Mapping[str, str], before: Mapping[str, Customer]
) -> tuple[Customer, ...]:
    """The customers by their labels, whatever their order was.

    `given` has the labels of customers whose tenant has a name already, by key. `taken` has the keys of all names that
    are in use, each with the key of its tenant. A customer keeps the label that it had `before`, unless it was renamed
    or the name is taken: nobody gets the name of another customer by a change of the own display name. Of several new
    customers with the same name, each gets the beginning of its tenant's id, too.
    """
    used = dict(taken)
    found: list[Customer] = []
    rest: list[Customer] = []
    for one in sorted(customers, key=lambda one: one.key):
        known = before.get(one.key)
        if label := given.get(one.key, ""):
            found.append(msgspec.structs.replace(one, label=label))
        elif known is not None and known.label and known.name == one.name and _is_free(known.label, one, used):
            found.append(_labelled(one, known.label, used))
        else:
            rest.append(one)
    bases = {one.key: safe_name(one.name) or one.key for one in rest}
    wanted = Counter(map(name_key, bases.values()))
    for one in rest:
        base = bases[one.key]
        longer = (f"{base}-{safe_name(one.key)[:_END_OF_ID]}", safe_name(f"{base[:20]}-{one.key}"))
        options = longer if wanted[name_key(base)] > 1 else (base, *longer)
        numbered = (f"{longer[0]}-{number}" for number in count(2))
        label = next(name for name in chain(options, numbered) if _is_free(name, one, used))
        found.append(_labelled(one, label, used))
    return tuple(sorted(found, key=lambda one: (name_key(one.label), one.key)))


def _is_free(label: str, customer: Customer, used: Mapping[str, str]) -> bool:
    return used.get(name_key(label), customer.key) == customer.key and folder_name(label) is None


def _labelled(customer: Customer, label: str, used: dict[str, str]) -> Customer:
    used[name_key(label)] = customer.key
    return msgspec.structs.replace(customer, label=label)
