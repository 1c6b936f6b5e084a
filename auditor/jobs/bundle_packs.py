"""The packs of a bundle, loaded without looking at any other file of the machine than the program's own rules."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from auditor.jobs.bundle import BundleError, Manifest
from auditor.jobs.bundle_read import PACKS
from auditor.model.rule import Pack
from auditor.packs.find import load_packs
from auditor.packs.pack_errors import PackError, Problem
from auditor.packs.pack_texts import parent_named, shipped_text
from auditor.packs.sources import is_path

replace = msgspec.structs.replace


def packs_in(manifest: Manifest, members: Mapping[str, bytes]) -> tuple[Pack, ...]:
    """The packs that the manifest names, in its order, with places as a report of the bundle has them.

    A copy of a shipped pack is the shipped pack. Raises BundleError for one that extends a file outside the bundle,
    and PackError for what is no pack.
    """
    texts = {path.removeprefix(PACKS): data for path, data in members.items() if path.startswith(PACKS)}
    for name, text in texts.items():
        _refuse_other_files(name, text, texts)
    with TemporaryDirectory(prefix="consent-auditor-") as folder:
        for name, text in texts.items():
            if name:
                Path(folder, name).write_bytes(text)
        named = [_name_of(pack.file.removeprefix(PACKS), texts, folder) for pack in manifest.packs]
        try:
            # Packs that another version shipped under the same name are judged, and told apart by their digest.
            packs = load_packs(named, any_name=True)
        except PackError as error:
            raise PackError(map(_without(f"{folder}{os.sep}"), error.problems)) from None
    return tuple(_placed(pack) for pack in packs)


def other_digests(manifest: Manifest, packs: tuple[Pack, ...]) -> Iterator[str]:
    """Packs that are not those, to the byte, that the manifest names, because of what they extend."""
    found = {pack.name: pack for pack in packs}
    for one in manifest.packs:
        pack = found.get(one.name)
        if pack is None:
            yield f"the bundle holds no pack {one.name}"
        elif pack.digest != one.digest:
            yield f"the rules of {one.name} extend others that are not those of this installation"
        elif pack.version != one.version:
            yield f"the pack {one.name} is of version {pack.version}, and the manifest says {one.version}"


def _refuse_other_files(name: str, text: bytes, texts: Mapping[str, bytes]) -> None:
    parent = parent_named(text)
    if parent.startswith("~") or (is_path(parent) and parent.removeprefix("./") not in texts):
        raise BundleError(f"{PACKS}{name} extends a file that is not in the bundle: do not use it, and ask the sender")


def _name_of(name: str, texts: Mapping[str, bytes], folder: str) -> str:
    """The shipped pack of that name where the member is a copy of it, else the file."""
    is_copy = shipped_text(name) == texts[name]
    return re.sub(r"\.yaml$", "", name) if is_copy else str(Path(folder, name))


def _without(folder: str) -> Callable[[Problem], Problem]:
    """The problem in words of the bundle, not of the folder for temporary files that it lay in."""
    return lambda problem: problem._replace(
        file=problem.file.replace(folder, PACKS), message=problem.message.replace(folder, PACKS)
    )


def _placed(pack: Pack) -> Pack:
    places = {
        rule: at if at.file.startswith("rules/") else replace(at, file=Path(at.file).name)
        for rule, at in pack.places.items()
    }
    return replace(pack, places=places)
