"""The request that every command and the Python API fill in: the tenant, the packs, the user and the outputs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec

from auditor import __version__
from auditor.consent.request import app_from_scopes
from auditor.jobs.outputs import Outputs
from auditor.model.finding import WaiverFile
from auditor.model.live_tenant import LiveTenant
from auditor.model.rule import App, Pack
from auditor.model.snapshot import Snapshot

TOOL = f"consent-auditor {__version__}"
"""How the program names itself in snapshots and reports."""


class SnapshotFiles(msgspec.Struct, frozen=True):
    """A snapshot in a file, or files of other tools that make one together; ``-`` is standard input.

    `tenant_id` names the tenant if no file does.
    """

    paths: tuple[str, ...]
    tenant_id: str = ""


class SampleTenant(msgspec.Struct, frozen=True):
    """A sample tenant that ships with the program, by its name."""

    name: str


class GivenSnapshot(msgspec.Struct, frozen=True):
    """A snapshot in memory; the report shows `origin` as its source."""

    snapshot: Snapshot
    origin: str = ""


Source = LiveTenant | SnapshotFiles | SampleTenant | GivenSnapshot
"""The tenant to audit."""


class Redaction(msgspec.Struct, frozen=True):
    """Replace names with tokens. Without a key file, the key is for this run only: tokens can't be looked up later."""

    key_file: str = ""


class AuditRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to audit and how to report it.

    `packs` are names, files, folders or loaded packs. `app` is evaluated by the rules that fit any vendor's app.
    Decisions are for an ordinary member and, if given, for `user` (object id or user principal name). `waivers` are
    files or their contents. `assumptions` are the changes of ``--assume``, `earlier` the reports and folders of
    ``--trend``. `full` reads every section of a live tenant. `waits` reads a live tenant again until users can connect,
    or its time limit is over. `tool` is the name in the report; empty means `TOOL`.
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
    waits: bool = False
    tool: str = ""

    @property
    def pack_names(self) -> tuple[str, ...]:
        """The packs that are named, without those that are loaded."""
        return tuple(pack for pack in self.packs if isinstance(pack, str))


def app_from_options(client_id: str, scopes: str, *, name: str = "", redirect_uri: str = "") -> App:
    """The app with this client id that requests these scopes; ``collect`` needs none. Raises RequestError."""
    return app_from_scopes(client_id, scopes, name=name, redirect_uri=redirect_uri)


class AddressedApp(NamedTuple):
    """The app of an authorize or admin consent URL, the tenant that the URL names, and the pack that knows the app."""

    app: App
    tenant: str = ""
    pack: Pack | None = None


def app_from_address(url: str, name: str = "", *, use_packs: bool = True) -> AddressedApp:
    """What an authorize or admin consent URL is about.

    With `use_packs`, a pack that knows the client id or the redirect URI adds the app's name and, if the URL names
    none, its scopes. Raises RequestError.
    """
    from auditor.consent.sign_in_address import request_from_url
    from auditor.jobs.pack_selection import pack_about

    found: list[Pack] = []

    def recognize(client_id: str, redirect_uri: str) -> App | None:
        pack = pack_about(client_id, redirect_uri) if use_packs else None
        found.extend([pack] if pack else [])
        return pack.app if pack else None

    request = request_from_url(url, recognize)
    app = msgspec.structs.replace(request.app, name=name) if name else request.app
    return AddressedApp(app, request.tenant, found[0] if found else None)


class AuditInputs(NamedTuple):
    """Everything that a report depends on: the snapshot, the packs, and what goes with them."""

    snapshot: Snapshot
    packs: tuple[Pack, ...]
    user: str = ""
    source: str = ""
    waivers: tuple[WaiverFile, ...] = ()
    assumptions: tuple[str, ...] = ()


def _silent(_: str) -> None:
    """Say nothing."""


class Interaction(NamedTuple):
    """How a running job reaches a person: messages, progress per section, pauses, and the code of a device sign-in.

    `on_pause` is called before a request is sent again, with who didn't answer, the seconds of the pause, and whether
    they were asked for.
    """

    say: Callable[[str], None] = _silent
    progress: Callable[[str, int, int | None], None] | None = None
    show_code: Callable[[str, str, datetime], None] | None = None
    on_pause: Callable[[str, float, bool], None] | None = None


SILENT = Interaction()
"""For scripts and tests: nothing is printed, except a device code on standard error."""
