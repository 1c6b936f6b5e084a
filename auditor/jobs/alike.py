"""Two reports on one tenant, with names and without: do they say the same?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from auditor.model.decision import Decision
from auditor.model.finding import FindingOutcome
from auditor.model.report import Report


def said_otherwise(plain: Report, redacted: Report) -> list[str]:
    """Where a report on a redacted snapshot says something else than the one with names; their packs correspond."""
    names = {old.name: new.name for old, new in zip(plain.packs, redacted.packs, strict=True)}
    before = {(names.get(f.pack, f.pack), f.rule): f.outcome for f in plain.findings}
    after = {(f.pack, f.rule): f.outcome for f in redacted.findings}
    found = [
        f"the rule {rule}: {_word(outcome)} with names, {_word(after.get((pack, rule)))} without"
        for (pack, rule), outcome in before.items()
        if after.get((pack, rule)) is not outcome
    ]
    found += [f"the rule {rule}: judged without names only" for pack, rule in after if (pack, rule) not in before]
    return [*_decided_otherwise(plain.decisions, redacted.decisions), *found, *_supposed_otherwise(plain, redacted)]


def _decided_otherwise(before: Sequence[Decision], after: Sequence[Decision]) -> Iterator[str]:
    for old, new in zip_longest(before, after):
        if old is None or new is None or (old.outcome, old.confidence) != (new.outcome, new.confidence):
            told = [one.outcome.value if one is not None else "no answer" for one in (old, new)]
            app = (old or new).app
            yield f"{app.name or app.client_id}: {told[0]} with names, {told[1]} without"


def _supposed_otherwise(plain: Report, redacted: Report) -> Iterator[str]:
    if plain.what_if is not None and redacted.what_if is not None:
        yield from _decided_otherwise(plain.what_if.decisions, redacted.what_if.decisions)


def _word(outcome: FindingOutcome | None) -> str:
    return outcome.value if outcome is not None else "not judged"
