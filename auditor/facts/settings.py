"""The settings of a tenant that checks are about, with their names for people.

The table is ``settings.json``. `auditor.checks` says which of them each kind of check is about; a check on a property
of a snapshot takes it from the property's path.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import msgspec

from auditor.facts import load_table
from auditor.model.rule import App, Setting

_APP = "{app}"


class _Row(msgspec.Struct, frozen=True):
    """A setting; `paths` are the properties of a snapshot that hold it, with everything below them.

    A label with the placeholder ``{app}`` is about one app. What `is_several` is not one setting but many objects or
    values under one name, which no single change makes right.
    """

    id: str
    label: str
    paths: tuple[str, ...] = ()
    is_several: bool = False


class _Table(msgspec.Struct, frozen=True):
    source: str
    read: str
    settings: tuple[_Row, ...]


@cache
def _rows() -> Mapping[str, _Row]:
    return MappingProxyType({row.id: row for row in load_table("settings", _Table).settings})


@cache
def _ids_by_path() -> Mapping[str, str]:
    return MappingProxyType({path: row.id for row in _rows().values() for path in row.paths})


def setting_named(id: str, app: App | None = None) -> Setting:
    """The setting with this id; one that is about an app has the app's client id in its own id.

    Raises KeyError for an id that isn't in the table, and LookupError where the setting needs an app.
    """
    row = _rows()[id]
    if _APP not in row.label:
        return Setting(id=row.id, label=row.label)
    if app is None:
        raise LookupError(f"the setting {id} is about an app")
    return Setting(id=f"{row.id}/{app.client_id.lower()}", label=row.label.replace(_APP, app.label))


def setting_at(path: str) -> Setting:
    """The setting that the property at this path of a snapshot holds, or that the nearest property above it holds.

    Raises KeyError for a path that doesn't start with a section of a snapshot.
    """
    known = _ids_by_path()
    while path not in known and "." in path:
        path = path.rpartition(".")[0]
    return setting_named(known[path])


def is_one_setting(setting: Setting) -> bool:
    """Whether one change can make every check on the setting pass; also true for a setting that isn't in the table."""
    row = _rows().get(setting.id.partition("/")[0])
    return row is None or not row.is_several
