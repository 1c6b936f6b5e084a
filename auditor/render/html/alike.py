"""Answers that say the same: told once, for all packs that describe the app, with the links in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from auditor.model.decision import Decision
from auditor.model.report import Report
from auditor.render.layout import clip
from auditor.render.remedies import key
from auditor.render.scopes import whose
from auditor.render.words import NAME, series


class Alike(NamedTuple):
    """Equal answers under their numbers in the report, the first of them standing for all."""

    numbers: tuple[int, ...]
    decisions: tuple[Decision, ...]

    @property
    def first(self) -> Decision:
        """The one that is shown."""
        return self.decisions[0]

    @property
    def variants(self) -> tuple[str, ...]:
        """The packs that give this answer, where packs describe the app in several ways."""
        return tuple(dict.fromkeys(clip(one.app.variant, NAME) for one in self.decisions if one.app.variant))

    @property
    def whose(self) -> str:
        """``1 and 2. TrackerRMS (...), packs trackerrms-uk and trackerrms-us``."""
        named = whose(self.numbers[0], _without_variant(self.first) if len(self.variants) > 1 else self.first)
        packs = f", packs {series(self.variants)}" if len(self.variants) > 1 else ""
        numbers = series([str(number) for number in self.numbers])
        return f"{numbers}{named.removeprefix(str(self.numbers[0]))}{packs}"


class Twins(NamedTuple):
    """The key of the first of several fixes that are one but for their links, and the links with their packs."""

    key: bytes
    links: tuple[tuple[str, str], ...]


def together(report: Report) -> tuple[Alike, ...]:
    """The answers, those together that differ in nothing but the pack's name and the links of their fixes."""
    groups: list[tuple[Decision, list[int]]] = []
    for number, decision in enumerate(report.decisions, start=1):
        bare = _bare(decision)
        same = next((numbers for known, numbers in groups if known == bare), None)
        if same is None:
            groups.append((bare, [number]))
        else:
            same.append(number)
    return tuple(Alike(tuple(n), tuple(report.decisions[each - 1] for each in n)) for _, n in groups)


def twins(report: Report) -> dict[bytes, Twins]:
    """By the key of each fix of an answer: what it and the same fix of answers like it have in common."""
    found: dict[bytes, Twins] = {}
    for alike in together(report):
        for fixes in zip(*(one.fixes for one in alike.decisions), strict=True):
            links: dict[str, str] = {}
            for decision, fix in zip(alike.decisions, fixes, strict=True):
                links.setdefault(fix.link, decision.app.variant)
            told = Twins(key(fixes[0]), labelled([(variant, link) for link, variant in links.items()]))
            for fix in fixes:
                found.setdefault(key(fix), told)
    return found


def _bare(decision: Decision) -> Decision:
    fixes = tuple(msgspec.structs.replace(fix, link="") for fix in decision.fixes)
    return msgspec.structs.replace(_without_variant(decision), fixes=fixes)


def _without_variant(decision: Decision) -> Decision:
    return msgspec.structs.replace(decision, app=msgspec.structs.replace(decision.app, variant=""))


def labelled(links: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The links without a label where there is but one."""
    return tuple(links) if len(links) > 1 else tuple(("", link) for _, link in links)
