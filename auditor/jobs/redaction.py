"""Redact everything that a report depends on: the snapshot, the packs, the waivers and the assumptions.

Also reads the key file, or creates it so that only its owner can read it.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import msgspec

from auditor.jobs.audit_request import SILENT, Interaction, Redaction
from auditor.jobs.redact_packs import UnredactableName, published_apps, redacted_packs
from auditor.model.app import App
from auditor.model.decision import Decision
from auditor.model.errors import InvalidRequest
from auditor.model.finding import FindingOutcome, WaiverFile
from auditor.model.report import Report
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot
from auditor.packs.pack_errors import PackError
from auditor.packs.pack_texts import PackText
from auditor.redact.redactor import Redactor
from auditor.redact.tokens import KEY_BYTES
from auditor.snapshot.snapshot_errors import SnapshotError

HEADER = "consent-auditor redaction key 1"
_MOST = 1000
"""In bytes. A key file is shorter, so a longer file was named by mistake."""


class AuditInputs(NamedTuple):
    """Everything that a report depends on: the snapshot, the packs, and what goes with them."""

    snapshot: Snapshot
    packs: tuple[Pack, ...]
    user: str = ""
    source: str = ""
    waivers: tuple[WaiverFile, ...] = ()
    assumptions: tuple[str, ...] = ()


def redactor_for(
    snapshot: Snapshot,
    apps: Iterable[App],
    redaction: Redaction,
    texts: Iterable[PackText] = (),
    interaction: Interaction = SILENT,
) -> Redactor:
    """The redactor for the names in the snapshot and in texts about it; `texts` are those of the packs to evaluate.

    Raises SnapshotError for a file that isn't a key file, and OSError.
    """
    return Redactor(_key(redaction.key_file, interaction), snapshot, apps, published_apps(texts))


def redacted_inputs(
    inputs: AuditInputs, texts: Sequence[PackText], redaction: Redaction, interaction: Interaction = SILENT
) -> tuple[AuditInputs, list[PackText]]:
    """The same inputs with tokens for names, and the texts of the packs.

    Raises InvalidRequest if the packs contain names that can't be replaced.
    """
    apps = [pack.app for pack in inputs.packs if pack.app is not None]
    redactor = redactor_for(inputs.snapshot, apps, redaction, texts, interaction)
    redacted = _packs(redactor, texts)
    by_name = {old.pack.name: new.pack for old, new in zip(texts, redacted, strict=True)}
    packs = tuple(by_name.get(pack.name) or _app_pack(redactor, pack) for pack in inputs.packs)
    names = {old.name.lower(): new.name for old, new in zip(inputs.packs, packs, strict=True)}
    return (
        inputs._replace(
            snapshot=redactor.snapshot,
            packs=packs,
            user=redactor.part(inputs.user),
            source=_source_without_path(inputs.source),
            waivers=tuple(redactor.waived(file, i, names) for i, file in enumerate(inputs.waivers, start=1)),
            assumptions=tuple(map(redactor.assumption, inputs.assumptions)),
        ),
        redacted,
    )


def refuse_other_verdicts(plain: Report, redacted: Report) -> None:
    """Raise InvalidRequest if the report without names has a different verdict than the report with names."""
    if differences := verdict_differences(plain, redacted):
        raise InvalidRequest(
            "a verdict changes if names are redacted, because a rule depends on a name:\n  "
            + "\n  ".join(differences)
            + "\nKeep the names (leave out --redact, or add --no-redact), or remove the names from the rules."
        )


def verdict_differences(plain: Report, redacted: Report) -> list[str]:
    """The different verdicts of two reports on one tenant, with names and without; their packs correspond."""
    names = {old.name: new.name for old, new in zip(plain.packs, redacted.packs, strict=True)}
    before = {(names.get(f.pack, f.pack), f.rule): f.outcome for f in plain.findings}
    after = {(f.pack, f.rule): f.outcome for f in redacted.findings}
    found = [
        f"the rule {rule}: {_outcome(outcome)} with names, {_outcome(after.get((pack, rule)))} without"
        for (pack, rule), outcome in before.items()
        if after.get((pack, rule)) is not outcome
    ]
    found += [f"the rule {rule}: evaluated only without names" for pack, rule in after if (pack, rule) not in before]
    return [*_decision_differences(plain.decisions, redacted.decisions), *found, *_what_if_differences(plain, redacted)]


def _decision_differences(before: Sequence[Decision], after: Sequence[Decision]) -> Iterator[str]:
    for old, new in zip_longest(before, after):
        if old is None or new is None or (old.outcome, old.confidence) != (new.outcome, new.confidence):
            outcomes = [one.outcome.value if one is not None else "no decision" for one in (old, new)]
            app = (old or new).app
            yield f"{app.name or app.client_id}: {outcomes[0]} with names, {outcomes[1]} without"


def _what_if_differences(plain: Report, redacted: Report) -> Iterator[str]:
    if plain.what_if is not None and redacted.what_if is not None:
        yield from _decision_differences(plain.what_if.decisions, redacted.what_if.decisions)


def _outcome(outcome: FindingOutcome | None) -> str:
    return outcome.value if outcome is not None else "not evaluated"


def _packs(redactor: Redactor, texts: Sequence[PackText]) -> list[PackText]:
    otherwise = "or keep the names (leave out --redact, or add --no-redact)"
    try:
        return redacted_packs(texts, redactor)
    except UnredactableName as error:
        raise InvalidRequest(f"{error}, {otherwise}") from error
    except PackError as error:
        raise InvalidRequest(
            f"a pack is only valid with names of the tenant in it: remove them from the pack, {otherwise}\n{error}"
        ) from error


def _app_pack(redactor: Redactor, pack: Pack) -> Pack:
    """The pack of an app without its own pack, with its app redacted."""
    return pack if pack.app is None else msgspec.structs.replace(pack, app=redactor.app(pack.app))


def _source_without_path(source: str) -> str:
    """Where the snapshot came from, without the file's path."""
    return source if source.startswith("sample ") else f"{source.partition(' ')[0].rstrip(',')}, redacted"


def _key(file: str, interaction: Interaction) -> bytes:
    """The key; a message says what happens to its file."""
    if not file:
        interaction.say("Redacted with a key for this run only: you can't look up its tokens later.")
        return key_of_this_run()
    key, is_new = key_from(file)
    if is_new:
        interaction.say(f"Created the key file {file}. Keep it to look up tokens, and don't send it with the report.")
    elif is_open_to_others(file):
        interaction.say(f"Other users can read {file} and look up tokens with it. To prevent that: chmod 600 {file}")
    return key


def key_of_this_run() -> bytes:
    """A random key that isn't stored."""
    return secrets.token_bytes(KEY_BYTES)


def key_from(path: str) -> tuple[bytes, bool]:
    """The key in the file, and whether the file was created now. Raises SnapshotError and OSError."""
    try:
        place = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path), False
    key = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(place, "w", encoding="ascii") as file:
        file.write(f"{HEADER}\n{key.hex()}\n")
    return key, True


def is_open_to_others(path: str) -> bool:
    """Whether others than the owner can read the file; false on systems without POSIX permissions."""
    return os.name == "posix" and bool(stat.S_IMODE(os.stat(path).st_mode) & 0o077)


def _read(path: str) -> bytes:
    with Path(path).open("rb") as file:
        lines = file.read(_MOST).split()
    try:
        header, key = b" ".join(lines[:-1]).decode("ascii"), bytes.fromhex(lines[-1].decode("ascii"))
    except (IndexError, ValueError):
        header, key = "", b""
    if header != HEADER or len(key) != KEY_BYTES:
        raise SnapshotError(
            path,
            "this isn't a redaction key file",
            hint="name a file that --redact-key created earlier, or a file that doesn't exist yet to create a new key.",
        )
    return key
