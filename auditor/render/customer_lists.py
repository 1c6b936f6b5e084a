"""Sentences about a list of customers, for the result of a night and for tests of a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts.graph_values import graph_values
from auditor.model.customers import Customer, CustomerList, ListKind
from auditor.model.document import count, first_of, sentence, series
from auditor.model.night import ListNight

_NAMED = 5
_TITLES = {
    ListKind.SNAPSHOTS: "Folder {}",
    ListKind.GDAP: "GDAP of {}",
    ListKind.CONTRACTS: "Contracts of {}",
}


def list_title(found: CustomerList) -> str:
    """What people call the list, as in ``GDAP of partner.onmicrosoft.com``."""
    return _TITLES[found.kind].format(found.source.partition(":")[2])


def list_night(found: CustomerList) -> ListNight:
    """The list as the result of a night has it: with names in place of customers."""
    return ListNight(
        name=list_title(found),
        source=found.source,
        customers=len(found.customers),
        taken=found.taken,
        new=tuple(one.label for one in found.new),
        gone=tuple(one.label for one in newly_gone(found)),
        error=found.error,
        advice=found.advice,
        notes=(*filter(None, map(_why_gone, newly_gone(found))), *map(sentence, found.notes)),
        credential_expires=found.credential.ends if found.credential else "",
    )


def newly_gone(found: CustomerList) -> tuple[Customer, ...]:
    """The customers that the list before had."""
    return tuple(one for one in found.gone if one.gone == found.taken and not found.error)


def list_lines(found: ListNight) -> Iterator[str]:
    """How many customers there are, who is new, and who is gone since the last list."""
    if found.error:
        yield f"The customers could not be listed: {sentence(found.error)}"
        if found.advice:
            yield f"What to do: {found.advice}"
        if found.customers:
            yield f"Audited anyway: {count(found.customers, 'customer')} of the list of {found.taken}."
    else:
        yield f"{count(found.customers, 'customer')}."
    if found.new:
        yield f"New: {series(first_of(found.new, _NAMED))}."
    if found.gone:
        names = series(first_of(found.gone, _NAMED))
        yield f"No longer listed, and not audited any more: {names}. The history keeps their runs."
    yield from found.notes


def relationship_lines(found: CustomerList) -> Iterator[str]:
    """The relationships in force with each customer: until when, the roles agreed, and those that are assigned."""
    for customer in found.customers:
        for one in customer.relationships:
            if one.in_force:
                end = f"until {one.ends[:10]}" if one.ends else "its end is not known"
                assigned = "not known" if one.assigned_roles is None else _roles(one.assigned_roles)
                extended = ", extended automatically" if one.extends else ""
                yield (
                    f"{customer.label}: the relationship {one.name or one.id}, {end}{extended}. Roles agreed:"
                    f" {_roles(one.roles)}; assigned to your groups: {assigned}."
                )


def _roles(templates: Sequence[str]) -> str:
    names = graph_values().role_templates
    return series(sorted(names.get(one.lower(), one) for one in templates)) or "none"


def _why_gone(customer: Customer) -> str:
    """Which relationship ended; empty if there was none, or one is still in force."""
    if not customer.relationships or any(one.in_force for one in customer.relationships):
        return ""
    last = max(customer.relationships, key=lambda one: one.ends)
    return f"The last relationship with {customer.label} is {last.status}; its end: {last.ends[:10] or 'not known'}."
