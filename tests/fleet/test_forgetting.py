"""A customer leaves: everything about its tenant is removed, a search proves it, and the other customers stay."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from auditor.cli.program import program
from auditor.jobs.forgetting import Removal, SearchResult, planned, prove, remove, words_of
from auditor.jobs.nightly_config import load_configuration
from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN, USAGE, InvalidRequest
from auditor.model.snapshot import Tenant
from auditor.snapshot.samples import sample
from auditor.snapshot.write import save
from tests.jobs.nights import Nights
from tests.redact.canaries import Canaries, unpacked, words_in

CONFIGURATION = """\
version: 1
history: {file: history.db}
defaults: {packs: [trackerrms-uk], reports: {folder: out, formats: [html, json, csv]}}
metrics: metrics.prom
site: site
notify: [{name: team, url: {env: ANY}, on: [always]}]
tenants:
"""
ACME = "  - {name: acme, snapshot: acme.json}\n"
GLOBEX = "  - {name: globex, snapshot: globex.json}\n"
FIRST, SECOND = "2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"
ACME_ID, OTHER_ID = "11111111-2222-4333-8444-555555555555", "77777777-7777-4777-8777-777777777777"
replace = msgspec.structs.replace


@pytest.fixture(scope="module")
def one_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night of two tenants, of which acme has a made-up word in every text."""
    folder = tmp_path_factory.mktemp("fleet")
    made = Canaries("a name").snapshot(sample("custom-policy"))
    save(replace(made, tenant=Tenant(id=ACME_ID, name=made.tenant.name)), folder / "acme.json")
    save(sample("low-classified"), folder / "globex.json")
    Nights(folder, CONFIGURATION + ACME + GLOBEX, {"ANY": "json://x"}).run(FIRST)
    return folder


@pytest.fixture
def nights(one_night: Path, tmp_path: Path) -> Nights:
    shutil.copytree(one_night, tmp_path, dirs_exist_ok=True)
    return Nights(tmp_path, CONFIGURATION + ACME + GLOBEX, {"ANY": "json://x"})


def forget(nights: Nights, tenant: str = "acme", more: Sequence[str] = ()) -> tuple[Removal, SearchResult]:
    """What ``fleet forget`` does after it asked."""
    configuration = load_configuration(str(nights.file))
    with nights.history() as history:
        words = words_of(history, planned(history, tenant, configuration), tenant)
        done = remove(history, tenant, configuration, SECOND)
        return done, prove(history, words, done, configuration, more)


def left(proof: SearchResult, folder: Path) -> set[str]:
    return {str(Path(one.place).relative_to(folder)) for one in proof.left}


def test_a_tenant_that_left_the_configuration_leaves_nothing_behind(nights: Nights) -> None:
    nights.file.write_text(CONFIGURATION + GLOBEX)
    (nights.folder / "acme.json").unlink()
    done, proof = forget(nights)
    assert (proof.left, proof.unsearched, proof.exit_code) == ((), (), OK)
    assert proof.words > 20
    assert (done.holdings.runs, dict(done.holdings.sent)) == (1, {"team": 1})
    assert done.reports and done.pages and done.metrics
    assert {word for _, text in unpacked(nights.folder) for word in words_in(text)} == set(), "an independent search"
    assert not (nights.folder / "out/acme").exists()
    assert sorted(path.name for path in (nights.folder / "site/tenants").iterdir()) == [f"{_id('globex')}.html"]
    assert list((nights.folder / "out/globex").iterdir())
    with nights.history() as history:
        assert [run.name for run in history.runs()] == ["globex"]
        assert history.report(history.runs()[0].id).tenant.name == sample("low-classified").tenant.name


def _id(name: str) -> str:
    return sample("low-classified").tenant.id if name == "globex" else ACME_ID


def test_what_the_program_may_not_remove_is_listed_with_what_to_do(nights: Nights) -> None:
    folder = nights.folder
    (folder / "out/acme/minutes.txt").write_text("Meeting with acme")
    shutil.copy(folder / "history.db", folder / "history.db.backup-0001")
    (folder / "kept").mkdir()
    shutil.make_archive(str(folder / "kept/bundle"), "zip", folder, "acme.json")
    _, proof = forget(nights, ACME_ID.upper(), [str(folder / "kept")])
    assert left(proof, folder) == {
        *("acme.json", "nightly.yaml", "history.db.backup-0001", "out/acme/minutes.txt", "kept/bundle.zip")
    }
    assert all(one.advice for one in proof.left)
    (line,) = (one.what for one in proof.left if one.place.endswith("nightly.yaml"))
    assert line == "line 8"
    assert proof.exit_code == FAILING


def test_a_file_that_cannot_be_searched_is_unknown(nights: Nights) -> None:
    nights.file.write_text(CONFIGURATION + GLOBEX)
    (nights.folder / "acme.json").unlink()
    (nights.folder / "out/broken.zip").write_bytes(b"PK\x03\x04 not a zip")
    _, proof = forget(nights)
    assert [text.rpartition("/")[2] for text in proof.unsearched] == ["broken.zip: BadZipFile"]
    assert proof.exit_code == UNKNOWN


def test_a_snapshot_in_a_folder_of_the_configuration_is_left(nights: Nights) -> None:
    folder = nights.folder
    (folder / "sent").mkdir()
    (folder / "acme.json").rename(folder / "sent/first.json")
    (folder / "globex.json").rename(folder / "sent/globex.json")
    nights.file.write_text(f"{CONFIGURATION}  - {{snapshots: sent/}}\n")
    _, proof = forget(nights)
    assert left(proof, folder) == {"sent/first.json"}
    assert str(folder / "sent") in proof.places
    assert proof.exit_code == FAILING


def test_a_folder_of_the_configuration_that_is_not_there_could_not_be_searched(nights: Nights) -> None:
    nights.file.write_text(f"{CONFIGURATION}{GLOBEX}  - {{snapshots: not-mounted/}}\n")
    (nights.folder / "acme.json").unlink()
    _, proof = forget(nights)
    assert proof.unsearched == (f"{nights.folder / 'not-mounted'}: there is no such folder",)
    assert proof.exit_code == UNKNOWN


def test_what_another_tenant_has_itself_does_not_count(one_night: Path, tmp_path: Path) -> None:
    """A partner's tenant is the owner of an app in a customer's: its id is in what was read there."""
    nights = Nights(tmp_path, CONFIGURATION + ACME + GLOBEX)
    shutil.copy(one_night / "acme.json", tmp_path)
    globex = (one_night / "globex.json").read_text()
    owner = sample("low-classified").sections.servicePrincipals or ()
    mentioning = globex.replace(str(owner[0].appOwnerOrganizationId), ACME_ID)
    assert mentioning != globex
    (tmp_path / "globex.json").write_text(mentioning)
    nights.run(FIRST)
    _, proof = forget(nights)
    assert (proof.shared >= {ACME_ID}, proof.owners) == (True, ("globex",))
    assert left(proof, tmp_path) == {"acme.json", "nightly.yaml"}


def test_a_name_that_leads_elsewhere_removes_nothing_there(nights: Nights) -> None:
    (nights.folder / "report.html").write_text("mine")
    for name in ("..", ".", "../fleet", str(nights.folder)):
        with nights.history() as history, pytest.raises(InvalidRequest, match="nothing is known about"):
            remove(history, name, load_configuration(str(nights.file)), SECOND)
    assert (nights.folder / "report.html").read_text() == "mine"


def test_a_typo_names_the_tenant_that_was_meant(nights: Nights) -> None:
    with nights.history() as history, pytest.raises(InvalidRequest, match='did you mean "acme"'):
        planned(history, "acmee", load_configuration(str(nights.file)))


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        pytest.param("csv: customers.csv", {"customers.csv": "line 2"}, id="a line of a CSV file"),
        pytest.param(f"gdap: {{tenant: partner.example}}, except: [{OTHER_ID}]", {}, id="an exception of a list"),
    ],
)
def test_what_would_audit_the_tenant_again_is_left(nights: Nights, entry: str, found: dict[str, str]) -> None:
    (nights.folder / "customers.csv").write_text(f"tenant,name\n{OTHER_ID},other\n")
    nights.file.write_text(f"{CONFIGURATION}{ACME}{GLOBEX}  - {{{entry}}}\n")
    with nights.history() as history:
        history.fail(history.begin(OTHER_ID, "other", FIRST), finished=FIRST, error="no token", exit_code=NO_AUDIT)
    _, proof = forget(nights, "other")
    assert {Path(one.place).name: one.what for one in proof.left} == found


def test_the_command_asks_first_and_says_what_it_did(nights: Nights) -> None:
    def asked(*options: str, standalone: bool = True) -> Result:
        arguments = ["fleet", "forget", "acme", "--config", str(nights.file), *options]
        return CliRunner().invoke(program, arguments, input="y\n", standalone_mode=standalone)

    refused, tried = asked(), asked("--dry-run")
    assert refused.exit_code == USAGE and "add --yes" in refused.output
    assert tried.exit_code == OK and "Would remove data of acme" in tried.output
    assert (nights.folder / "out/acme").exists()
    done = asked("--yes", standalone=False)
    assert done.return_value == FAILING, done.output
    assert "History    1 run" in done.output and "Remove the tenant, or the next run audits it again." in done.output
    assert "1 message sent to team: ask the receivers to delete them." in done.output
    assert "acme is forgotten, except for 2 places" in done.output
