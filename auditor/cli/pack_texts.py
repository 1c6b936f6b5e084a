"""The texts behind the packs that a command was asked to judge by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.model.app import App
    from auditor.model.rule import Pack
    from auditor.packs.pack_texts import PackText


def texts_for(chosen: Iterable[Pack], names: Iterable[str]) -> list[PackText]:
    """The texts of those of the chosen packs that the names lead to, in the order of the names. Raises PackError."""
    from auditor.cli.pack_names import asked_sources
    from auditor.packs.pack_texts import texts_of

    wanted = {pack.digest for pack in chosen}
    found = (texts_of(source) for name in names for source in next(asked_sources([name])))
    return list({text.pack.name: text for text in found if text.pack.digest in wanted}.values())


def text_for_app(app: App) -> PackText:
    """A pack for an app without one, which says what the options said.

    Its name is made of the app's id, because what people call an app may hold their own name.
    """
    import msgspec

    from auditor.packs.new_pack import name_for, pack_text
    from auditor.packs.pack_texts import texts_of
    from auditor.packs.sources import Source

    name = name_for(msgspec.structs.replace(app, name=""))
    text = pack_text(app, name=name, source="the command line that made the bundle")
    return texts_of(Source(f"{name}.yaml", text.encode()))
