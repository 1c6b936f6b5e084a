"""What else to read: facts that rules turn out to need once a first look at the tenant was taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.checks.directory import Directory
from auditor.checks.granted import unread_resources
from auditor.consent.lookup import was_refused
from auditor.consent.truth import Truth
from auditor.model.checks import AllOf, AnyCheck, AnyOf, DelegatedGrants, Not
from auditor.model.read_plan import Plan
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot


def further_reads(snapshot: Snapshot, packs: Iterable[Pack]) -> Plan:
    """The resources whose scopes decide whether a grant is one that only administrators may give.

    Only those on which an app that the rule is about holds a grant: their number does not grow with the directory.
    Never names what was tried and refused already.
    """
    checks = [check for pack in packs for rule in pack.rules for check in _grants(rule.check)]
    if not checks:
        return Plan()
    directory = Directory(snapshot)
    found = {
        resource
        for check in checks
        for client, resource in unread_resources(check, snapshot, directory)
        if directory.is_like(client, check) is not Truth.FALSE
    }
    return Plan(resources=tuple(sorted(r for r in found if not was_refused(snapshot, "servicePrincipals", r))))


def _grants(check: AnyCheck) -> Iterator[DelegatedGrants]:
    match check:
        case AnyOf(checks=checks) | AllOf(checks=checks):
            for one in checks:
                yield from _grants(one)
        case Not(check=one):
            yield from _grants(one)
        case DelegatedGrants():
            yield check
