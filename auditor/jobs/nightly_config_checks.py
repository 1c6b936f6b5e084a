"""What types can't express about a nightly configuration: packs, apps, names, numbers, and paths that must be writable.

Everything here works on the text's nodes, so that all mistakes of a file are reported at once.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from auditor.atomic import refuse_unsafe
from auditor.checks.typo_suggestions import nearest
from auditor.consent.requested_scopes import app_from_scopes
from auditor.facts.ids import is_guid
from auditor.jobs.app_catalog import app_named, near_apps, pack_reference
from auditor.jobs.customer_csv import NamedTenant, csv_rows
from auditor.jobs.nightly_forms import SOURCES, folder_name, seconds_of
from auditor.jobs.pack_selection import resolved_names
from auditor.model.errors import AuditorError
from auditor.packs import PackError, PackProblems, Position
from auditor.packs.load import exists, is_path, load_packs, path_of
from auditor.packs.yaml_nodes import Items, Node, Scalar, Table, child, is_empty_list, items_of, tables_of, text_of
from auditor.render import FORMATS, FormatUnavailable, files_in_folder, must_be_available

_LIMITS = {
    ("keep", "days"): (1, 36_500),
    ("keep", "runs"): (1, 100_000),
    ("defaults", "concurrency"): (1, 500),
    ("defaults", "timeout"): (1, 86_400),
}
LISTS = ("snapshots", "gdap", "contracts")
"""The keys of entries whose tenants are known when a list is read."""


def default_name(tenant: str, snapshot: str) -> str:
    """The name of a tenant without one: its id or domain, or the name of its file without the ending."""
    return tenant or Path(snapshot.replace("\\", "/")).name.split(".")[0]


def named_packs(names: Iterable[str], folder: Path) -> tuple[str, ...]:
    """The packs with their paths relative to the configuration. Raises PackError for a name without a pack."""
    return tuple(dict.fromkeys(_named_pack(name, folder) for name in names))


def _named_pack(name: str, folder: Path) -> str:
    if not is_path(name):
        return resolved_names((name,))[0]
    path = str(path_of(name, folder))
    # A bare file name would be the name of a shipped pack.
    return path if is_path(path) else os.path.join(".", path)


class Checks:
    """Reports the mistakes in a configuration to `problems`. Relative paths start from `folder`."""

    def __init__(self, problems: PackProblems, folder: Path) -> None:
        self.problems = problems
        self.folder = folder
        self._packs: dict[str, bool] = {}

    def run(self, document: Node) -> None:
        """Check the whole document."""
        defaults = child(document, "defaults")
        tenants = tables_of(child(document, "tenants"))
        if is_empty_list(child(document, "tenants")):
            self._add(child(document, "tenants"), "there are no tenants", "at least one")
        for path, limits in _LIMITS.items():
            self._number(child(document, *path), path[-1], limits)
        for settings in (defaults, *tenants):
            self._settings(settings)
        named = [one for node in tenants for one in self._tenant(node, defaults)]
        self._names(named)
        lists = [node for node in tenants if any(key in node.entries for key in LISTS)]
        known = {
            # The customers of a list have names when the list is read.
            "tenants": None if lists else {one.name for one in named},
            "tags": {tag for one in named for tag in one.tags}
            | {text_of(tag) for node in lists for tag in items_of(child(node, "tags"))},
        }
        for node in items_of(child(document, "notify")):
            self._target(node, known)
        self._secret(child(document, "heartbeat", "url"))
        self._history(child(document, "history"))
        self._file(child(document, "metrics"), "metrics")
        self._folder(child(document, "site"), "site")

    def packs_of_apps(self, apps: Iterable[str]) -> tuple[str, ...]:
        """The packs about apps that are given by client id or name; an app without a pack is left out."""
        return tuple(name for app in apps if (name := self._pack_of(app)))

    def _add(self, node: Node | None, message: str, expected: str = "", near: str = "") -> None:
        if node is not None:
            self.problems.add(node.at, message, expected=expected, near=near)

    def _number(self, node: Node | None, what: str, limits: tuple[int, int]) -> None:
        least, most = limits
        if isinstance(node, Scalar) and type(node.value) is int and not least <= node.value <= most:
            self._add(node, f"{what} is {node.value}", f"{least} to {most}")

    # ---- Settings of tenants ----------------------------------------------------------------------------------------

    def _settings(self, node: Node | None) -> None:
        for pack in _texts(child(node, "packs")):
            self._pack(pack)
        for app in items_of(child(node, "apps")):
            self._app(app)
        for file in _texts(child(node, "waivers")):
            self._rule_file(file, "waivers")
        for file in _texts(child(node, "abused")):
            self._rule_file(file, "abused")
        for key in ("secret", "certificate", "certificate-password"):
            self._secret(child(node, "credential", key))
        self._credential(child(node, "credential"))
        self._timeout(child(node, "timeout"))
        self._folder(child(node, "reports", "folder"), "folder")
        for form in _texts(child(node, "reports", "formats")):
            self._format(form)
        self._file_name_of_formats(child(node, "reports", "formats"))

    def _timeout(self, node: Node | None) -> None:
        self._number(node, "timeout", _LIMITS["defaults", "timeout"])
        if isinstance(node, Scalar) and isinstance(node.value, str) and (seconds_of(node.value) or 0) > 86_400:
            self._add(node, f'timeout is "{node.text}"', "at most 24h")

    def _pack(self, node: Scalar) -> None:
        name = text_of(node)
        if name in self._packs:
            return
        self._packs[name] = True
        try:
            load_packs(named_packs([name], self.folder))
        except PackError as error:
            self._packs[name] = False
            for problem in error.problems:
                if problem.line:
                    self.problems.found.append(problem)
                else:
                    self._add(
                        node, ": ".join(filter(None, (problem.file, problem.message))), problem.expected, problem.near
                    )

    def _app(self, node: Node) -> None:
        if isinstance(node, Table):
            client, scopes = child(node, "client-id"), child(node, "scopes")
            if client is None or scopes is None:
                return
            try:
                app_from_scopes(text_of(client), text_of(scopes))
            except AuditorError as error:
                self._add(client, str(error))
        elif isinstance(node, Scalar) and isinstance(node.value, str) and not self._pack_of(text_of(node)):
            if is_guid(text_of(node)):
                self._add(node, f"no pack knows the app {text_of(node)}", "a table with its client-id and scopes")
                return
            near = nearest(text_of(node), tuple(one.name for one in near_apps(text_of(node))))
            self._add(node, f'no pack is about an app "{text_of(node)[:80]}"', near=near)

    def _pack_of(self, app: str) -> str:
        """The pack about the app with this client id or name, or an empty text."""
        try:
            return pack_reference(app_named(app))
        except AuditorError:
            return ""

    def _rule_file(self, node: Scalar, key: str) -> None:
        """Load the file that the configuration names under this key, to find its mistakes."""
        from auditor.packs.abused_apps import load_abused_files
        from auditor.packs.waiver_files import load_waiver_files

        file = str(path_of(text_of(node), self.folder))
        try:
            _ = load_waiver_files([file]) if key == "waivers" else load_abused_files([file])
        except PackError as error:
            for problem in error.problems:
                if problem.line:
                    self.problems.found.append(problem)
                else:
                    self._add(node, f"{problem.file} {problem.message}".strip())

    def _secret(self, node: Node | None) -> None:
        """A reference to a secret has exactly one key."""
        if not isinstance(node, Table):
            return
        given = [key for key in ("env", "file", "systemd", "keyvault") if key in node.entries]
        if len(given) != 1 and not set(node.entries) - set(given):
            found = " and ".join(given) or "no key"
            self._add(node, f"a reference to a secret has {found}", "one of env, file, systemd and keyvault")

    def _credential(self, node: Node | None) -> None:
        if not isinstance(node, Table):
            return
        given = [key for key in ("secret", "certificate") if key in node.entries]
        if len(given) == 2:
            self._add(node, "the credential has both a secret and a certificate", "one of them")
        if given and "client-id" not in node.entries:
            self._add(node, f'the credential has a {given[0]} but lacks the key "client-id"')
        if "certificate-password" in node.entries and "certificate" not in node.entries:
            self._add(node, "the credential has a certificate-password but no certificate")

    def _format(self, node: Scalar) -> None:
        if text_of(node) not in FORMATS:
            return  # reported with its near match
        try:
            must_be_available(text_of(node))
        except FormatUnavailable as error:
            self._add(node, str(error))

    def _file_name_of_formats(self, node: Node | None) -> None:
        seen: set[str] = set()
        for form in _texts(node):
            if text_of(form) in seen:
                self._add(form, f"the format {text_of(form)} is there twice")
            seen.add(text_of(form))

    # ---- Tenants and their names ------------------------------------------------------------------------------------

    def _tenant(self, node: Table, defaults: Node | None) -> Iterator[NamedTenant]:
        given = [key for key in SOURCES if key in node.entries]
        if len(given) > 1:
            self._add(node, f"the tenant has {' and '.join(given)}", "only one of them")
            return
        if not given:
            if not {nearest(key, SOURCES) for key in node.entries} - {""}:
                self._add(node, "the entry names no tenant", "tenant, snapshot, csv, snapshots, gdap or contracts")
            return
        if not self._evaluates(node, defaults):
            self._add(node, "the tenant has nothing to check", "packs or apps, here or in defaults")
        source = given[0]
        if source in LISTS:
            self._list(node, source)
            return
        for key in ("only", "except"):
            if key in node.entries:
                self._add(child(node, key), f"{key} needs a list of customers", "snapshots, gdap or contracts")
        if source == "csv":
            yield from self._rows(node)
            return
        tenant = text_of(child(node, "tenant"))
        label = child(node, "name") or child(node, source)
        called = text_of(child(node, "name")) or default_name(tenant, text_of(child(node, "snapshot")))
        if "name" not in node.entries and called and (wrong := folder_name(called)):
            self._add(label, f"as a name, {wrong.message}", "a name")
        self._overwriting(node, defaults, called)
        if called and label is not None:
            tags = tuple(text_of(one) for one in items_of(child(node, "tags")))
            yield NamedTenant(label.at, tenant, called, tags)

    def _rows(self, node: Table) -> Iterator[NamedTenant]:
        """The tenants of a CSV file."""
        self._has_no_name(node, "a csv file has the names of its tenants itself", "the column name in the file")
        file = child(node, "csv")
        if file is None or not text_of(file):
            return
        for row in csv_rows(path_of(text_of(file), self.folder), self.problems, file.at):
            for pack in row.packs:
                self._pack(Scalar(row.at, pack, pack))
            yield row

    def _list(self, node: Table, source: str) -> None:
        """Report what is wrong with an entry whose tenants are known when its list is read."""
        self._has_no_name(node, "a list has the names of its customers itself", "a further entry for a tenant's name")
        partner = child(node, source)
        if source != "snapshots":
            self._timeout(child(partner, "timeout"))
            for key in ("secret", "certificate", "certificate-password"):
                self._secret(child(partner, "credential", key))
            self._credential(child(partner, "credential"))
        elif isinstance(partner, Scalar) and (name := text_of(partner)):
            path = path_of(name, self.folder)
            if exists(path) and not path.is_dir():
                self._add(partner, f"{path} is a file", "a folder of snapshots; for one file, snapshot")

    def _has_no_name(self, node: Table, why: str, instead: str) -> None:
        self._add(child(node, "name"), why, instead)

    def _overwriting(self, node: Table, defaults: Node | None, name: str) -> None:
        """Report a snapshot that a report would replace."""
        snapshot, reports = child(node, "snapshot"), child(node, "reports") or child(defaults, "reports")
        folder = text_of(child(reports, "folder"))
        if not (snapshot and text_of(snapshot) and folder):
            return
        place = os.path.realpath(path_of(text_of(snapshot), self.folder))
        files = path_of(folder, self.folder) / name
        given = [text_of(one) for one in items_of(child(reports, "formats"))] or ["html", "json"]
        written = [file for form in given if form in FORMATS for _, file in files_in_folder(form)]
        if any(place == os.path.realpath(files / file) for file in written):
            self._add(snapshot, "the report would overwrite this snapshot", "another folder of reports")

    def _evaluates(self, node: Table, defaults: Node | None) -> bool:
        packs, apps = (child(node, key) or child(defaults, key) for key in ("packs", "apps"))
        return any(not isinstance(one, Items) or one.nodes for one in (packs, apps) if one is not None)

    def _names(self, named: Iterable[NamedTenant]) -> None:
        """Two tenants with one name would share a folder; one tenant twice would be read twice."""
        first: dict[str, NamedTenant] = {}
        tenants: dict[str, NamedTenant] = {}
        for one in named:
            key = unicodedata.normalize("NFKC", one.name).casefold()
            if other := first.setdefault(key, one) if first.get(key, one) is not one else None:
                same = "name" if other.name == one.name else f"folder as {other.name}: {one.name}"
                self.problems.add(
                    one.at, f"another tenant has the same {same} ({_where(other.at, one.at)})", expected="another name"
                )
                continue
            first[key] = one
            tenant = one.tenant.lower()
            if tenant and tenant in tenants:
                where = _where(tenants[tenant].at, one.at)
                self.problems.add(one.at, f"the tenant {one.tenant} is already in the configuration ({where})")
            elif tenant:
                tenants[tenant] = one

    # ---- Notifications, history, files ------------------------------------------------------------------------------

    def _target(self, node: Node, known: Mapping[str, set[str] | None]) -> None:
        self._secret(child(node, "url"))
        if is_empty_list(child(node, "on")):
            self._add(
                child(node, "on"), "the target is never notified", "change, failure, recovery, expiry, always or digest"
            )
        for key, words in known.items():
            for one in _texts(child(node, key)):
                if words is not None and text_of(one) not in words:
                    what = "tag" if key == "tags" else "name"
                    message = f'no tenant has the {what} "{text_of(one)[:80]}"'
                    self._add(one, message, near=nearest(text_of(one), words))

    def _history(self, node: Node | None) -> None:
        self._secret(child(node, "url"))
        if isinstance(node, Table) and "file" in node.entries and "url" in node.entries:
            self._add(node, "the history has both a file and a url", "one of them")
        self._file(child(node, "file"), "file", creates_folder=True)

    def _file(self, node: Node | None, what: str, *, creates_folder: bool = False) -> None:
        """Report a file that can't be written."""
        if not isinstance(node, Scalar) or not text_of(node):
            return
        path = path_of(text_of(node), self.folder)
        if path.is_dir():
            self._add(node, f"{what} {path} is a folder", "the name of a file")
        elif not creates_folder and not path.parent.is_dir():
            self._add(node, f"{what} can't be written: the folder {path.parent} doesn't exist")
        else:
            self._writable(node, path, what)

    def _folder(self, node: Node | None, what: str) -> None:
        if not isinstance(node, Scalar) or not text_of(node):
            return
        path = path_of(text_of(node), self.folder)
        if exists(path) and not path.is_dir():
            self._add(node, f"{what} {path} is a file", "the name of a folder")
        else:
            self._writable(node, path, what)

    def _writable(self, node: Node, path: Path, what: str) -> None:
        existing = next(one for one in (path, *path.absolute().parents) if exists(one))
        if not os.access(existing, os.W_OK):
            self._add(node, f"{what} {path} can't be written: you have no permission to write to {existing}")
            return
        try:
            refuse_unsafe(path)
        except AuditorError as error:
            self._add(node, str(error))


def _where(first: Position, second: Position) -> str:
    """The place of the first, as someone who reads about the second needs it."""
    return f"line {first.line}" if first.file == second.file else f"{first.file}:{first.line}"


def _texts(node: Node | None) -> Iterator[Scalar]:
    return (one for one in items_of(node) if isinstance(one, Scalar) and isinstance(one.value, str) and text_of(one))
