"""Rule packs of one's own without names: what is said goes through the redactor, what is asked stays.

Keys, kinds of checks, paths, ids of rules, permissions and the pack that is extended are never changed, whatever the
tenant's groups are called. Comments and cases are left out: nothing is judged by them.
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


class NameInRule(Exception):
    """The tenant's name stands where it cannot go: in the id of a rule, or in the name of a framework."""


def published_apps(texts: Iterable[PackText]) -> tuple[App, ...]:
    """The apps as the packs that ship describe them, of those packs and of those that one's own extend."""
    found = (_shipped(file.name) for text in texts for file in text.files if file.shipped)
    return tuple(dict.fromkeys(pack.app for pack in found if pack.app is not None))


def redacted_packs(texts: Sequence[PackText], redactor: Redactor) -> list[PackText]:
    """The packs, with no name of the tenant in those that did not ship. Raises PackError and NameInRule."""
    for text in texts:
        _refuse_names_that_stay(text, redactor)
    rewriting = _Rewriting(redactor, {text.pack.name for text in texts})
    return in_one_folder(texts, rewriting.pack)


def _shipped(file: str) -> Pack:
    return load(shipped_source(file.removesuffix(".yaml")))


def _refuse_names_that_stay(text: PackText, redactor: Redactor) -> None:
    shipped = [rule for file in text.files if file.shipped for rule in _shipped(file.name).rules]
    inherited = {word for rule in shipped for word in (rule.id, *rule.frameworks)}
    for rule in text.pack.rules:
        for what, word in (("id", rule.id), *(("framework", name) for name in rule.frameworks)):
            if word not in inherited and _OF_TENANT.search(redactor.text(word)):
                raise NameInRule(
                    f'the {what} {word} of a rule of the pack "{text.pack.name}" holds the tenant\'s name, and is not'
                    " replaced: call it otherwise"
                )


class _Rewriting:
    """One document at a time."""

    def __init__(self, redactor: Redactor, names: Collection[str]) -> None:
        self._redactor = redactor
        self._names = names

    def pack(self, document: Mapping[str, Any], stem: str) -> dict[str, Any]:
        """The document of a pack; its name becomes that of its file where the tenant is in it."""
        found = {key: value if key in _HEAD else self._said(value) for key, value in document.items()}
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
        found = {key: value if key in _APP else self._said(value) for key, value in app.items()}
        if "redirect-uris" in app:
            found["redirect-uris"] = self._links(app["redirect-uris"])
        if isinstance(scopes := app.get("scopes"), dict):
            found["scopes"] = {key: self._scopes(listed) for key, listed in scopes.items()}
        return found

    def _scopes(self, listed: Any) -> Any:
        """Names of permissions stay; where one comes from is said in words."""
        return [self._scope(item) for item in listed] if isinstance(listed, list) else listed

    def _scope(self, item: Any) -> Any:
        if isinstance(item, dict) and "source" in item:
            return {**item, "source": self._said(item["source"])}
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
                    yield key, {**self._said(value), **({"link": self._link(value["link"])} if "link" in value else {})}
                case _:
                    yield key, value if key in _RULE else self._said(value)

    def _check(self, value: Any, key: str = "") -> Any:
        """A check, with what it compares as the redacted snapshot holds it, and all else as it is."""
        if isinstance(value, dict):
            return {name: inner if name == "scopes" else self._check(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._check(item, key) for item in value]
        return self._redactor.compared(value) if key in _COMPARED and isinstance(value, str) else value

    def _said(self, value: Any) -> Any:
        """Words for people, under keys that stay."""
        if isinstance(value, dict):
            return {key: self._said(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._said(item) for item in value]
        return self._redactor.text(value) if isinstance(value, str) else value

    def _link(self, value: Any) -> Any:
        return self._redactor.address(value) if isinstance(value, str) else value

    def _links(self, value: Any) -> Any:
        return [self._link(item) for item in value] if isinstance(value, list) else value
