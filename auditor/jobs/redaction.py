"""Redact everything that a report depends on: the snapshot, the packs, the waivers, the lists and the assumptions.

First the inputs of an audit, then the key file, which is read or created so that only its owner can read it, and last
the packs: their YAML is rewritten value by value. YAML keys, kinds of checks, paths, rule ids, permissions and the name
of the extended pack never change, whatever the tenant's groups are called. Comments and cases are left out, because no
verdict depends on them.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from auditor.jobs.audit_request import SILENT, AuditInputs, Interaction, Redaction
from auditor.model.decision import Decision
from auditor.model.errors import InvalidRequest
from auditor.model.report import Report
from auditor.model.rule import App, FindingOutcome, Pack
from auditor.model.snapshot import Snapshot
from auditor.packs import PackError
from auditor.packs.load import load, shipped_source
from auditor.packs.pack_texts import PackText, in_one_folder
from auditor.redact.redactor import Redactor
from auditor.redact.tokens import KEY_BYTES
from auditor.snapshot import SnapshotError

HEADER = "consent-auditor redaction key 1"
_MOST = 1000
"""In bytes. A key file is shorter, so a longer file was named by mistake."""


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
    return Redactor(redaction_key(redaction.key_file, interaction), snapshot, apps, published_apps(texts))


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
            abused=tuple(redactor.abused_apps(one, i) for i, one in enumerate(inputs.abused, start=1)),
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
    return source if not source or source.startswith("sample ") else f"{source.partition(' ')[0].rstrip(',')}, redacted"


def redaction_key(file: str, interaction: Interaction = SILENT) -> bytes:
    """The key in the file, or one for this run without a file; a message says what happens to the file.

    Raises SnapshotError for a file that isn't a key file, and OSError.
    """
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
    """The key in the file, and whether the file was created now.

    Raises SnapshotError, OSError, and InvalidRequest for a file of another user, who could look up every token.
    """
    from auditor.atomic import create_private

    key = secrets.token_bytes(KEY_BYTES)
    if create_private(path, f"{HEADER}\n{key.hex()}\n".encode("ascii")):
        return key, True
    return _read(path), False


def is_open_to_others(path: str) -> bool:
    """Whether others than the owner can read the file; false on systems without POSIX permissions."""
    return os.name == "posix" and bool(stat.S_IMODE(os.stat(path).st_mode) & 0o077)


def _read(path: str) -> bytes:
    from auditor.atomic import open_own
    from auditor.input_files import read_opened

    with open_own(path) as file:
        lines = read_opened(file.fileno(), path, _MOST).split()
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


_HEAD = frozenset({"format", "format-version", "extends", "abstract"})
_APP = frozenset(
    {
        *("client-id", "request", "prompt-consent", "publisher-verified", "registered-before-2020-11-08", "assumed"),
        *("category", "verified-publisher-id"),
    }
)
_SOURCE = frozenset({"what", "read"})
_VARIANT = frozenset({"name", "request"})
_RULE = frozenset({"id", "severity", "routes"})
_COMPARED = frozenset(
    {"equals", "one-of", "none-of", "all-of", "any-of", "missing-means", "allows", "forbids", "contains"}
)
_OF_TENANT = re.compile(r"(?:Tenant |tenant-)[0-9a-f]{10}")


class UnredactableName(Exception):
    """A pack contains the tenant's name where it can't be replaced: in a rule's id or in a framework's name."""


def published_apps(texts: Iterable[PackText]) -> tuple[App, ...]:
    """The apps of the shipped packs in `texts`, also of those that your own packs extend."""
    found = (_shipped(file.name) for text in texts for file in text.files if file.shipped)
    return tuple(dict.fromkeys(pack.app for pack in found if pack.app is not None))


def redacted_packs(texts: Sequence[PackText], redactor: Redactor) -> list[PackText]:
    """The packs, without names of the tenant in your own packs. Raises PackError and UnredactableName."""
    for text in texts:
        _refuse_names_that_stay(text, redactor)
    pack_redactor = _PackRedactor(redactor, {text.pack.name for text in texts})
    return in_one_folder(texts, pack_redactor.pack)


def _shipped(file: str) -> Pack:
    return load(shipped_source(file.removesuffix(".yaml")))


def _refuse_names_that_stay(text: PackText, redactor: Redactor) -> None:
    shipped = [rule for file in text.files if file.shipped for rule in _shipped(file.name).rules]
    inherited = {word for rule in shipped for word in (rule.id, *rule.frameworks)}
    for rule in text.pack.rules:
        for what, word in (("id", rule.id), *(("framework", name) for name in rule.frameworks)):
            if word not in inherited and _OF_TENANT.search(redactor.text(word)):
                raise UnredactableName(
                    f'a rule in the pack "{text.pack.name}" has the {what} {word}, which contains the tenant\'s name'
                    " and can't be redacted: rename it"
                )


class _PackRedactor:
    """Redacts the documents of packs. `names` are the names of all packs that are redacted together."""

    def __init__(self, redactor: Redactor, names: Collection[str]) -> None:
        self._redactor = redactor
        self._names = names

    def pack(self, document: Mapping[str, Any], stem: str) -> dict[str, Any]:
        """The document of a pack. A pack name that contains a name of the tenant is replaced by the file's name."""
        found = {key: value if key in _HEAD else self._redacted(value) for key, value in document.items()}
        if isinstance(name := document.get("pack"), str):
            free = stem if stem not in self._names else f"{stem}-redacted"
            found["pack"] = name if self._redactor.text(name) == name else free
        if isinstance(app := document.get("app"), dict):
            found["app"] = self._app(app)
        if isinstance(rules := document.get("rules"), list):
            found["rules"] = [self._rule(rule) for rule in rules]
        if "references" in document:
            found["references"] = self._links(document["references"])
        return found

    def _app(self, app: Mapping[str, Any]) -> dict[str, Any]:
        found = self._way_to_connect(app, _APP)
        if "consent-link" in app:
            found["consent-link"] = self._link(app["consent-link"])
        if isinstance(sources := app.get("source"), list):
            found["source"] = [self._redacted_but(one, _SOURCE) for one in sources]
        if isinstance(variants := app.get("variants"), list):
            found["variants"] = [
                self._way_to_connect(one, _VARIANT) if isinstance(one, dict) else one for one in variants
            ]
        return found

    def _way_to_connect(self, value: Mapping[str, Any], kept: Collection[str]) -> dict[str, Any]:
        """The app or a variant of it: its redirect URIs are links, its permissions stay."""
        found: dict[str, Any] = self._redacted_but(value, kept)
        if "redirect-uris" in value:
            found["redirect-uris"] = self._links(value["redirect-uris"])
        if isinstance(scopes := value.get("scopes"), dict):
            found["scopes"] = {key: self._scopes(listed) for key, listed in scopes.items()}
        return found

    def _redacted_but(self, value: Any, kept: Collection[str]) -> Any:
        """The table with all its texts redacted but those of some keys."""
        if not isinstance(value, Mapping):
            return self._redacted(value)
        return {key: inner if key in kept else self._redacted(inner) for key, inner in value.items()}

    def _scopes(self, listed: Any) -> Any:
        """The list with its permissions as they are; the text that says where one comes from is redacted."""
        return [self._scope(item) for item in listed] if isinstance(listed, list) else listed

    def _scope(self, item: Any) -> Any:
        if isinstance(item, dict) and "source" in item:
            return {**item, "source": self._redacted(item["source"])}
        return item

    def _rule(self, rule: Any) -> Any:
        if not isinstance(rule, dict):
            return rule
        return dict(self._parts_of_rule(rule))

    def _parts_of_rule(self, rule: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for key, value in rule.items():
            match key:
                case "cases":
                    continue
                case "check":
                    yield key, self._check(value)
                case "references":
                    yield key, self._links(value)
                case "fix" if isinstance(value, dict):
                    yield (
                        key,
                        {**self._redacted(value), **({"link": self._link(value["link"])} if "link" in value else {})},
                    )
                case _:
                    yield key, value if key in _RULE else self._redacted(value)

    def _check(self, value: Any, key: str = "") -> Any:
        """The check, with the values that it compares as they are in the redacted snapshot; all else is unchanged."""
        if isinstance(value, dict):
            return {name: inner if name == "scopes" else self._check(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._check(item, key) for item in value]
        return self._redactor.compared(value) if key in _COMPARED and isinstance(value, str) else value

    def _redacted(self, value: Any) -> Any:
        """The value with its texts redacted; keys stay as they are."""
        if isinstance(value, dict):
            return {key: self._redacted(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._redacted(item) for item in value]
        return self._redactor.text(value) if isinstance(value, str) else value

    def _link(self, value: Any) -> Any:
        return self._redactor.address(value) if isinstance(value, str) else value

    def _links(self, value: Any) -> Any:
        return [self._link(item) for item in value] if isinstance(value, list) else value
