"""Whatever a file contains, its loader reads it or says in printable words what is wrong.

Each test starts from real files and spoils them, or takes raw bytes. `make test` tries the same examples each time, and
`make soak` many others (docs/security.md says how many were tried).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.cli.program import explained
from auditor.jobs.audit_request import Interaction
from auditor.jobs.bundle_verifier import verify
from auditor.jobs.bundle_writer import MANIFEST
from auditor.jobs.earlier_reports import earlier_reports, history_of
from auditor.jobs.redaction import key_from
from auditor.jobs.report_builder import build_report
from auditor.jobs.snapshot_files import read_snapshot
from auditor.model.errors import AuditorError
from auditor.packs.load import Source, load, load_packs, shipped_names, shipped_source
from auditor.packs.waiver_files import load_waivers
from auditor.render import render
from auditor.snapshot.packed_files import save_packed
from auditor.snapshot.samples import sample, sample_names
from auditor.snapshot.write import dumps
from tests.fuzz.mutations import Original, archives, documents, lines, spoilt, zipped
from tests.jobs.test_bundle import TOOL, listed_anew, made, members

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = settings.default.max_examples if settings.default is not None else 100
IN_SOAK = EXAMPLES >= 1000


def tries(in_test: int, in_soak: int) -> settings:
    """How many examples of a test are tried by `make test` and by one run of `make soak`."""
    return settings(
        max_examples=in_soak if IN_SOAK else min(in_test, EXAMPLES),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


fuzzed = tries(100, 10_000)
judged = tries(50, 4_000)
"""For snapshots that are also judged and printed."""
verified = tries(20, 1_000)
"""For bundles, whose reports are written again."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to write each example to."""
    return tmp_path_factory.mktemp("fuzz") / "example"


def read_or_explained(read: Callable[[], Any]) -> Any:
    """What `read` returns, or nothing if it raises an error that the program explains to the person at the keyboard."""
    try:
        return read()
    except (AuditorError, OSError) as error:
        said = explained(error)
        assert said is not None and said.text.strip() and len(said.text) < 100_000
        assert_printable(said.text)
        return None


def assert_printable(text: str) -> None:
    """A message must not control a terminal, and every terminal must be able to show it."""
    bad = [char for char in text if not (char.isprintable() or char == "\n")]
    assert not bad, f"{bad[:5]!r} in {text[:2000]!r}"


def snapshots() -> list[Any]:
    """Documents of some samples, one with everything that a snapshot can hold."""
    return [json.loads(dumps(sample(name))) for name in ("managed-default", "custom-policy", "conditional-access")]


def other_tools() -> list[bytes]:
    """Files of other tools, each below 100 KB."""
    found = (path for path in sorted((REPOSITORY / "tests/snapshot/imports").rglob("*.json")) if path.is_file())
    return [data for path in found if len(data := path.read_bytes()) < 100_000]


def read_back(data: bytes, file: Path) -> Any:
    """The snapshot in the file as a command reads it, judged by a pack and printed."""
    file.write_bytes(data)
    snapshot = read_or_explained(lambda: read_snapshot([str(file)], interaction=Interaction(say=assert_printable)))
    if snapshot is None:
        return
    report = read_or_explained(lambda: build_report(snapshot, vendor_packs()))
    if report is not None:
        assert_printable(render(report, "text").decode())
        render(report, "json")


@cache
def vendor_packs() -> tuple[Any, ...]:
    return tuple(load_packs(["trackerrms-uk"]))


@judged
@given(document=documents(snapshots()))
def test_a_snapshot_with_changed_values(document: Any, file: Path) -> None:
    read_back(json.dumps(document).encode(), file)


@judged
@given(data=st.sampled_from([dumps(sample(name)) for name in sample_names()[:3]]).flatmap(spoilt))
def test_a_spoilt_snapshot(data: bytes, file: Path) -> None:
    read_back(data, file)


@judged
@given(data=st.sampled_from(other_tools()).flatmap(spoilt))
def test_a_spoilt_file_of_another_tool(data: bytes, file: Path) -> None:
    read_back(data, file)


@judged
@given(document=documents([json.loads(data) for data in other_tools() if data[:1] in b"[{"]))
def test_a_file_of_another_tool_with_changed_values(document: Any, file: Path) -> None:
    read_back(json.dumps(document).encode(), file)


@fuzzed
@given(data=st.binary(max_size=200) | st.binary(max_size=200).map(lambda data: b"PK\x03\x04" + data))
def test_bytes_instead_of_a_snapshot(data: bytes, file: Path) -> None:
    read_back(data, file)


def packs() -> list[bytes]:
    """The shipped packs, and the packs with mistakes that the tests collect."""
    broken = sorted((REPOSITORY / "tests/packs/broken").glob("*.yaml"))
    return [*(shipped_source(name).text for name in shipped_names()), *(path.read_bytes() for path in broken)]


def load_pack(text: bytes) -> None:
    read_or_explained(lambda: load(Source("example.yaml", text), samples=sample_names()))


@fuzzed
@given(text=lines(packs()))
def test_a_pack_with_changed_lines(text: bytes) -> None:
    load_pack(text)


@fuzzed
@given(text=st.sampled_from(packs()).flatmap(spoilt) | st.binary(max_size=200))
def test_a_spoilt_pack(text: bytes) -> None:
    load_pack(text)


WAIVERS = b"""\
format: consent-auditor/waivers
format-version: 1
waivers:
  - rule: VENDOR-WORKFLOW
    pack: trackerrms-uk
    subject: 5353a3d2-8ca9-42d2-b567-ea399ccb5e38
    reason: Accepted until the roll-out
    owner: Anna Example
    expires: "2027-03-31"
    ticket: T-1
"""


@fuzzed
@given(text=lines([WAIVERS]) | spoilt(WAIVERS) | st.binary(max_size=200))
def test_a_waiver_file(text: bytes) -> None:
    read_or_explained(lambda: load_waivers(Source("waivers.yaml", text)))


@cache
def bundle() -> bytes:
    """A bundle without a PDF, which takes two seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("auditor.jobs.bundle_writer.REPORTS", {"json": "report.json", "html": "report.html"})
        return Original(made("managed-default", ("trackerrms-uk",)))


@cache
def parts() -> dict[str, bytes]:
    """The members of the bundle."""
    return {name: Original(data) for name, data in members(bundle()).items()}


def bundles() -> Iterator[st.SearchStrategy[bytes]]:
    """Bundles with spoilt bytes, with changed members, and with changed members that the manifest lists."""
    files = parts()
    yield spoilt(bundle())
    yield archives(files).map(zipped)
    yield archives(files).map(lambda changed: zipped(listed_anew({**changed, MANIFEST: files[MANIFEST]})))


def verify_bundle(data: bytes, file: Path) -> None:
    found = read_or_explained(lambda: verify(data, TOOL))
    if found is not None:
        msgspec.json.encode(found)
    read_back(data, file)


@verified
@given(data=st.one_of(*bundles()) | st.binary(max_size=100).map(lambda data: b"PK\x03\x04" + data))
def test_a_bundle(data: bytes, file: Path) -> None:
    verify_bundle(data, file)


@verified
@given(document=documents([json.loads(parts()[MANIFEST])]))
def test_a_manifest_with_changed_values(document: Any, file: Path) -> None:
    verify_bundle(zipped({**parts(), MANIFEST: json.dumps(document).encode()}), file)


@verified
@given(document=documents([json.loads(parts()["report.json"])]))
def test_a_report_with_changed_values_in_a_bundle(document: Any, file: Path) -> None:
    verify_bundle(zipped(listed_anew({**parts(), "report.json": json.dumps(document).encode()})), file)


@cache
def packed() -> bytes:
    """A snapshot in the packed form."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "tenant.zip")
        save_packed(sample("managed-default"), path)
        return Original(path.read_bytes())


def with_rows(rows: bytes) -> bytes:
    """The packed snapshot with other service principals in their file."""
    return zipped({**members(packed()), "servicePrincipals.jsonl.gz": gzip.compress(rows)})


def rows() -> bytes:
    """The lines of the service principals."""
    return Original(gzip.decompress(members(packed())["servicePrincipals.jsonl.gz"]))


@judged
@given(data=spoilt(packed()) | archives(members(packed())).map(zipped) | spoilt(rows()).map(with_rows))
def test_a_packed_snapshot(data: bytes, file: Path) -> None:
    read_back(data, file)


@judged
@given(document=documents([json.loads(parts()["report.json"])]))
def test_an_earlier_report_with_changed_values(document: Any, file: Path) -> None:
    trend_of(json.dumps(document).encode(), file)


@judged
@given(data=spoilt(parts()["report.json"]) | st.binary(max_size=100))
def test_a_spoilt_earlier_report(data: bytes, file: Path) -> None:
    trend_of(data, file)


def trend_of(data: bytes, file: Path) -> None:
    file.write_bytes(data)
    earlier = read_or_explained(lambda: earlier_reports([file]))
    if earlier:
        history_of(build_report(sample("managed-default"), ()), earlier)


@fuzzed
@given(data=spoilt(b"consent-auditor redaction key 1\n" + b"0f" * 32 + b"\n") | st.binary(max_size=100))
def test_a_key_file(data: bytes, file: Path) -> None:
    file.write_bytes(data)
    read_or_explained(lambda: key_from(str(file)))
