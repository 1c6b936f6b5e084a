"""The one request that every command and the Python API fill: what to judge, of which tenant, and how to report it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec

from auditor import __version__
from auditor.consent.request import app_from_scopes, request_from_url
from auditor.jobs.outputs import Outputs
from auditor.model.app import App
from auditor.model.finding import WaiverFile
from auditor.model.live_tenant import LiveTenant
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot

TOOL = f"consent-auditor {__version__}"
"""How the program names itself in snapshots and reports."""


class SnapshotFile(msgspec.Struct, frozen=True):
    """A snapshot in a file; ``-`` is standard input."""

    path: str


class SampleTenant(msgspec.Struct, frozen=True):
    """A sample tenant that ships with the program, by its name."""

    name: str


class GivenSnapshot(msgspec.Struct, frozen=True):
    """A snapshot in memory; `origin` says in the report where it came from."""

    snapshot: Snapshot
    origin: str = ""


Source = LiveTenant | SnapshotFile | SampleTenant | GivenSnapshot
"""Which tenant is judged."""


class Redaction(msgspec.Struct, frozen=True):
    """Replace names by tokens. Without a key file, the key is for this run alone and no token can be looked up."""

    key_file: str = ""


class AuditRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to know about a tenant.

    `packs` are names, files, folders or loaded packs; `app` is judged by the rules that fit any vendor's app. `user`
    (object id or user principal name) is decided for in addition to the ordinary member. `waivers` are files, or what
    they hold. `assumptions` are decided a second time (``--assume``). `earlier` are reports to compare with
    (``--trend``). `full` reads every section of a live tenant. `tool` is who judges: this program unless it is named.
    """

    source: Source
    packs: tuple[str | Pack, ...] = ()
    app: App | None = None
    user: str = ""
    waivers: tuple[str | WaiverFile, ...] = ()
    assumptions: tuple[str, ...] = ()
    redaction: Redaction | None = None
    outputs: Outputs = Outputs()
    earlier: tuple[str, ...] = ()
    full: bool = False
    tool: str = ""

    @property
    def pack_names(self) -> tuple[str, ...]:
        """The packs that were named, without those given as they are."""
        return tuple(pack for pack in self.packs if isinstance(pack, str))


def app_from_options(client_id: str, scopes: str, *, name: str = "", redirect_uri: str = "") -> App:
    """The app with this client id that asks for these scopes; to collect, none are needed. Raises RequestError."""
    return app_from_scopes(client_id, scopes, name=name, redirect_uri=redirect_uri)


def app_from_address(url: str, name: str = "") -> tuple[App, str]:
    """The app of an authorize or admin consent address, and the tenant that it names. Raises RequestError."""
    request = request_from_url(url)
    return (msgspec.structs.replace(request.app, name=name) if name else request.app), request.tenant


def _silent(_: str) -> None:
    """Say nothing."""


class Interaction(NamedTuple):
    """How a running job reaches a person: messages, progress per section, and the code of a device sign-in."""

    say: Callable[[str], None] = _silent
    progress: Callable[[str, int, int | None], None] | None = None
    show_code: Callable[[str, str, datetime], None] | None = None


SILENT = Interaction()
"""For scripts and tests: nothing is printed, and a device code goes to standard error."""
