"""Which fix comes first: the one that opens least, then the one for the fewest people, then the shortest."""

from __future__ import annotations

import re
from collections.abc import Iterable

from auditor.fixes.exposure.result import Breadth
from auditor.model.fix import Fix

Key = tuple[int, int, int, tuple[tuple[str, int], ...]]
_UNMEASURED = 10**9


def rank(fixes: Iterable[Fix]) -> tuple[Fix, ...]:
    """The fixes, least exposure first; those that are alike in all of it stay in the order they come in."""
    return tuple(sorted(fixes, key=rank_key))


def rank_key(fix: Fix) -> Key:
    """Weight over all other apps, breadth of who may use this one, number of steps, route.

    A fix whose exposure was not measured comes last: what is not known is not nothing.
    """
    weight = fix.opens.get("weight", _UNMEASURED)
    breadth = Breadth[str(fix.opens.get("breadth", Breadth.EVERYBODY.name)).upper()]
    return int(weight), int(breadth), steps(fix), _numbered(fix.route)


def steps(fix: Fix) -> int:
    """How much there is to do: a link is one step, else each request is, else each portal instruction."""
    if fix.link:
        return len(fix.route.split("+"))
    return len(fix.steps.graph) or len(fix.steps.portal)


def _numbered(route: str) -> tuple[tuple[str, int], ...]:
    """The route with its numbers as numbers, so that R10 comes after R2."""
    return tuple((letters, int(digits or 0)) for letters, digits in re.findall(r"(\D*)(\d*)", route))
