"""Where rules are written, in words that a report may hold."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from auditor.model.place import RulePlace
from auditor.packs.errors import Place

_INSTALLED = "auditor:"
"""How messages mark what lies inside the installed program (`shipped.label`)."""


def told(places: Mapping[str, Place]) -> Mapping[str, RulePlace]:
    """The places of rules, by rule id, without a word of where the folders of this machine are."""
    return {rule: RulePlace(file=told_file(place.file), line=max(place.line, 1)) for rule, place in places.items()}


def told_file(label: str) -> str:
    """A pack's file: ``rules/NAME.yaml``, a path below the working directory, or the file's name alone."""
    if label.startswith(_INSTALLED):
        return label.removeprefix(_INSTALLED)
    here = Path(os.path.abspath(label))
    below = here.relative_to(Path.cwd()) if here.is_relative_to(Path.cwd()) else Path(here.name)
    return below.as_posix()
