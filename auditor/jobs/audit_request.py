"""The request that every command and the Python API fill in: the tenant, the packs, the user, and where reports go.

A report goes to standard output, to files, or to a folder with one file for each format.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import msgspec

from auditor import __version__
from auditor.consent.requested_scopes import app_from_scopes
from auditor.model.errors import InvalidRequest
from auditor.model.report import AbusedAppsList, Report, Summary, WaiverFile
from auditor.model.rule import App, Pack
from auditor.model.snapshot import CredentialEnd, LiveTenant, Snapshot
from auditor.render import FORMATS, files_in_folder, must_be_available, render, write

if TYPE_CHECKING:
    from auditor.model.difference import SinceLast

TEXT = "text"
PIPE = "-"
"""Standard input or output, where a file is expected."""


class Outputs(msgspec.Struct, frozen=True, kw_only=True):
    """The formats of a report and its `files`, pairs of format and path. Without files, it goes to standard output.

    A file for one table has the format ``FORMAT/TABLE``. `folder` is the folder of ``-o FOLDER/``, if that was given.
    With `only_summary`, each format that has a summary writes that page alone.
    """

    formats: tuple[str, ...] = (TEXT,)
    files: tuple[tuple[str, Path], ...] = ()
    folder: Path | None = None
    only_summary: bool = False

    @property
    def is_standard_output(self) -> bool:
        """Whether the report goes to standard output."""
        return not self.files

    @property
    def is_text_on_standard_output(self) -> bool:
        """Whether the report is text on standard output, so that notices can be printed there as well."""
        return self.is_standard_output and self.formats == (TEXT,)


def outputs_for(formats: Iterable[str], outputs: Iterable[str]) -> Outputs:
    """Where ``--format`` and ``--output`` send the report. Run it before the tenant is read, to find mistakes early.

    Raises InvalidRequest, and FormatUnavailable if a format needs a package that isn't installed.
    """
    found = _outputs(tuple(dict.fromkeys(formats)), _without_repeats(outputs))
    for name in found.formats:
        must_be_available(name)
    return found


def _without_repeats(outputs: Iterable[str]) -> tuple[str, ...]:
    """The outputs without repeated files, also if their paths are spelled differently (``a.html``, ``./a.html``)."""
    known: dict[str, str] = {}
    for output in outputs:
        known.setdefault(output if output == PIPE else os.path.realpath(output), output)
    return tuple(known.values())


def _outputs(formats: tuple[str, ...], outputs: tuple[str, ...]) -> Outputs:
    if outputs in ((), (PIPE,)):
        if len(formats) > 1:
            raise InvalidRequest("several formats need a folder: add -o FOLDER/")
        return Outputs(formats=formats or (TEXT,))
    if len(outputs) > 1:
        return _several_files(formats, outputs)
    output = outputs[0]
    if Path(output).is_dir() or output.endswith(("/", os.sep)) or len(formats) > 1:
        return _in_folder(formats or (TEXT,), output)
    name = formats[0] if formats else format_of_ending(output)
    must_be_writable(output)
    return Outputs(formats=(name,), files=((name, Path(output)),))


def _several_files(formats: tuple[str, ...], outputs: tuple[str, ...]) -> Outputs:
    """Several files, each in the format of its ending."""
    if formats or PIPE in outputs:
        raise InvalidRequest(
            "with several -o files, the endings choose the formats: leave out -f and -o -, or give one -o FOLDER/"
        )
    files = tuple((format_of_ending(output), Path(output)) for output in outputs)
    for output in outputs:
        must_be_writable(output)
    return Outputs(formats=tuple(dict.fromkeys(name for name, _ in files)), files=files)


def _in_folder(formats: tuple[str, ...], folder: str) -> Outputs:
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise InvalidRequest(f"{folder} is a file, but several formats need a folder: give -o the name of a folder")
    existing = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        raise InvalidRequest(f"you can't write to {folder}: give -o another folder, or change its permissions")
    files = tuple((form, path / file) for name in formats for form, file in files_in_folder(name))
    _must_be_safe(*(file for _, file in files))
    return Outputs(formats=formats, files=files, folder=path)


def format_of_ending(file: str) -> str:
    """The format of the file's ending; the longest ending wins. Raises InvalidRequest if there is none."""
    endings = {ending: name for name, form in FORMATS.items() for ending in (form.ending, *form.other_endings)}
    fitting = [ending for ending in endings if file.lower().endswith(ending)]
    if fitting:
        return endings[max(fitting, key=len)]
    known = ", ".join(sorted(form.ending for form in FORMATS.values()))
    if not Path(file).suffix:
        raise InvalidRequest(
            f"{file} has no ending that names a format ({known}): add an ending, add -f FORMAT,"
            f" or write {file}/ if it is a folder"
        )
    raise InvalidRequest(f"no format has the ending of {file} (known endings: {known}): change it, or add -f FORMAT")


def must_be_writable(file: str, option: str = "-o") -> None:
    """Raise InvalidRequest if the file can't be created or replaced safely: better now than after the audit."""
    path = Path(file)
    if path.is_dir():
        raise InvalidRequest(f"{file} is a folder: give {option} the name of a file in it")
    if not path.parent.is_dir():
        raise InvalidRequest(f"the folder {path.parent} for {path.name} doesn't exist: create it, or change {option}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InvalidRequest(f"you can't write to {file}: give {option} another path, or change its permissions")
    _must_be_safe(file)


def _must_be_safe(*files: str | Path) -> None:
    from auditor.atomic import refuse_unsafe

    for file in files:
        refuse_unsafe(file)


def refuse_overwriting(outputs: Iterable[str | Path], key_file: str | None, snapshots: Iterable[str] = ()) -> None:
    """Raise InvalidRequest if an output would overwrite the redaction key or a file of the snapshot.

    Without the key, tokens can no longer be looked up, and the read that made a snapshot can't be repeated. A key of
    another user is refused as well, because that user could look up every token.
    """
    if key_file == PIPE:
        raise InvalidRequest("--redact-key can't be standard input: give the name of a file")
    if key_file:
        from auditor.atomic import refuse_foreign

        refuse_foreign(key_file)
    kept = (("the redaction key", key_file), *(("the snapshot", path) for path in snapshots))
    for output in outputs:
        for what, file in kept:
            if file and file != PIPE and str(output) != PIPE and _same_file(output, file):
                raise InvalidRequest(f"-o {output} would overwrite {what}: give -o another path")


def is_inside(file: str, folder: Path) -> bool:
    """Whether the file is in the folder, after links are resolved."""
    return Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder))


def _same_file(one: str | Path, other: str | Path) -> bool:
    """Whether both paths are the same file, after links are resolved. A new file is compared by its path only."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))


def rendered(
    report: Report,
    outputs: Outputs,
    history: Sequence[tuple[str, Summary]] = (),
    since_last: SinceLast | None = None,
) -> Mapping[str, bytes]:
    """The report in each format, by the format's name. Formats that show a trend get `history` and `since_last`.

    Formats that are streamed are left out: `write_page` writes them. Raises FormatUnavailable.
    """
    trend = {"history": history, "since_last": since_last}
    return {
        name: _rendered(report, name, trend, only_summary=outputs.only_summary)
        for name in outputs.formats
        if not _is_streamed(name, outputs)
    }


def _is_streamed(name: str, outputs: Outputs) -> bool:
    """A binary format goes back in its file, which isn't possible on standard output that is appended to a file."""
    form = FORMATS[name]
    return form.is_streamed and not (outputs.is_standard_output and form.is_binary)


def write_page(report: Report, name: str, pages: Mapping[str, bytes], file: BinaryIO) -> None:
    """Write the report in a format, which is one of `pages` or streamed. Raises OSError and FormatUnavailable."""
    if name in pages:
        file.write(pages[name])
    else:
        write(report, name, file)


def write_files(report: Report, pages: Mapping[str, bytes], outputs: Outputs) -> tuple[Path, ...]:
    """Write each file of `outputs`, create missing folders, and return the paths.

    Each file is written completely or not at all. Only its owner can read a new file or open a new folder, because the
    report describes a tenant. Raises OSError, and InvalidRequest for a place that isn't safe.
    """
    from auditor.atomic import make_folder, written_whole

    for name, path in outputs.files:
        make_folder(path.parent)
        with written_whole(path, keep_mode=True) as file:
            write_page(report, name, pages, file)
    return tuple(path for _, path in outputs.files)


def _rendered(report: Report, name: str, trend: Mapping[str, Any], *, only_summary: bool) -> bytes:
    form = FORMATS[name]
    options: dict[str, Any] = dict(trend) if form.shows_trend else {}
    if only_summary and form.has_summary:
        options["only_summary"] = True
    if form.points_into_files:
        options["places"] = _places(report)
    return render(report, name, **options)


def _places(report: Report) -> dict[str, str]:
    """The paths of pack files relative to the root of the repository; empty for files outside it.

    The report names a file relative to the working directory, which may be a subfolder, or only by its name if it is
    elsewhere. The files of shipped packs aren't in the user's repository.
    """
    here, root = Path.cwd(), _repository_root()
    files = {finding.place.file for finding in report.findings if finding.place}
    places = {}
    for file in files:
        path = here / file
        if path.is_file():
            places[file] = path.relative_to(root).as_posix() if path.is_relative_to(root) else ""
        elif "/" not in file:
            places[file] = ""
    return places


def _repository_root() -> Path:
    """The root of the repository: GITHUB_WORKSPACE, or else the nearest folder with a ``.git``."""
    here, named = Path.cwd(), os.environ.get("GITHUB_WORKSPACE")
    if named and here.is_relative_to(Path(named).resolve()):
        return Path(named).resolve()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


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
    files or their contents, and so are `abused`, your own lists of known abused apps. `assumptions` are the changes of
    ``--assume``, `earlier` the reports and folders of ``--trend``. `full` reads every section of a live tenant. `waits`
    reads a live tenant again until users can connect, or its time limit is over. `tool` is the name in the report;
    empty means `TOOL`.
    """

    source: Source
    packs: tuple[str | Pack, ...] = ()
    app: App | None = None
    user: str = ""
    waivers: tuple[str | WaiverFile, ...] = ()
    abused: tuple[str | AbusedAppsList, ...] = ()
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
    abused: tuple[AbusedAppsList, ...] = ()
    assumptions: tuple[str, ...] = ()


def _silent(_: str) -> None:
    """Say nothing."""


class Interaction(NamedTuple):
    """How a running job reaches a person: messages, progress per section, pauses, and the code of a device sign-in.

    `on_pause` is called before a request is sent again, with who didn't answer, the seconds of the pause, and whether
    they were asked for; `on_wait` before a wait without progress, with what is done meanwhile. If `on_credential` is
    given, a live read also finds out when the audit's own credential ends, and calls it with that, once. `on_tenant` is
    called when one of many tenants is done: with how many are, how many of these failed, and how many there are.
    """

    say: Callable[[str], None] = _silent
    progress: Callable[[str, int, int | None], None] | None = None
    show_code: Callable[[str, str, datetime], None] | None = None
    on_pause: Callable[[str, float, bool], None] | None = None
    on_wait: Callable[[str], None] | None = None
    on_credential: Callable[[CredentialEnd], None] | None = None
    on_tenant: Callable[[int, int, int], None] | None = None


SILENT = Interaction()
"""For scripts and tests: nothing is printed, except a device code on standard error."""
