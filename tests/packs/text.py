"""A sound pack in text, to be bent by a test."""

from __future__ import annotations

from pathlib import Path

from auditor.model.rule import Pack
from auditor.packs.load import Source, load

HEAD = """\
format: consent-auditor/pack
format-version: 1
pack: mine
version: "1.0"
title: Mine
"""
APP = """\
app:
  name: Mine
  client-id: 5353A3D2-8ca9-42d2-b567-ea399ccb5e38
  scopes: {microsoft-graph: [Mail.Read]}
"""
RULES = """\
rules:
  - id: MINE-1
    title: Users can connect
    severity: low
    why: Because.
    check: {kind: users-can-connect}
"""
SOUND = HEAD + APP + RULES


def loaded(text: str, folder: Path | None = None) -> Pack:
    """The pack in `text`."""
    return load(Source("mine.yaml", text.encode(), folder))
