"""Redact your own rule packs: names in their texts become tokens, and what a rule checks stays as it is.

Keys, kinds of checks, paths, rule ids, permissions and the name of the extended pack never change, whatever the
tenant's groups are called. Comments and cases are left out, because no verdict depends on them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from auditor.model.app import App
from auditor.model.rule import Pack
from auditor.packs.load import load
from auditor.packs.pack_texts import PackText, in_one_folder
from auditor.packs.sources import shipped_source
from auditor.redact.redactor import Redactor

_HEAD = frozenset({"format", "format-version", "extends", "abstract"})
_APP = frozenset(
    {"client-id", "request", "prompt-consent", "publisher-verified", "registered-before-2020-11-08", "assumed"}
)
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
        found = {key: value if key in _APP else self._redacted(value) for key, value in app.items()}
        if "redirect-uris" in app:
            found["redirect-uris"] = self._links(app["redirect-uris"])
        if isinstance(scopes := app.get("scopes"), dict):
            found["scopes"] = {key: self._scopes(listed) for key, listed in scopes.items()}
        return found

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
