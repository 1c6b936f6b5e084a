"""``nightly``, as the installed command answers it: results, exit codes, logs, and how a run ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest
import yaml

from auditor.render.night import schema
from tests.cli.program import COMMAND, Done, environment, interrupts, run, scrubbed
from tests.golden import check_section
from tests.graphserver import GraphServer
from tests.jobs.nights import assign, write_tenant
from tests.jobs.test_live import document_of
from tests.limits import HUNG_AFTER

GOLDEN = Path(__file__).parent / "golden/nightly.txt"
CONFIGURATION = """\
version: 1
defaults: {packs: [trackerrms-uk], reports: {folder: out, formats: [json]}}
tenants:
  - {name: acme, snapshot: acme.json}
  - {name: globex, snapshot: globex.json}
  - {name: initech, snapshot: none.json}
"""
posix = pytest.mark.skipif(os.name != "posix", reason="signals and pipes are those of POSIX")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration of three tenants, one of them without its file."""
    write_tenant(tmp_path / "acme.json", "managed-default")
    write_tenant(tmp_path / "globex.json", "low-classified")
    (tmp_path / "consent-auditor.yaml").write_text(CONFIGURATION)
    return tmp_path


def at(day: int) -> Mapping[str, str]:
    """The variables of a run in the night of this day."""
    return {"_CONSENT_AUDITOR_TEST_NOW": f"2026-11-{day}T02:00:00Z", "CONSENT_AUDITOR_STATE": "state"}


def nightly(folder: Path, day: int, *more: str, **environ: str) -> Done:
    """One night."""
    return run("nightly", "run", *more, cwd=folder, env={**at(day), **environ})


def test_two_nights_end_with_the_answer(folder: Path) -> None:
    first = nightly(folder, 22)
    check_section(GOLDEN, "first night", f"{scrubbed(first.out)}{first.session}")
    write_tenant(folder / "globex.json", "low-classified", assign())
    second = nightly(folder, 25)
    check_section(GOLDEN, "three nights later, with a change", f"{scrubbed(second.out)}{second.session}")
    assert (first.code, second.code) == (1, 1)
    assert second.out.rstrip().splitlines()[-1].endswith("Exit code 1.")


def test_json_has_the_code_of_each_tenant_and_the_log_is_json(folder: Path) -> None:
    done = nightly(folder, 22, "-f", "json", "--log-format", "json", "--metrics", "m.prom")
    night = json.loads(done.out)
    jsonschema.Draft202012Validator(schema()).validate(night)
    assert (night["format"], night["exit_code"], done.code) == ("consent-auditor/night", 1, 1)
    assert [(one["name"], one["exit_code"]) for one in night["tenants"]] == [("acme", 1), ("globex", 0), ("initech", 3)]
    lines = [json.loads(line) for line in done.err.splitlines()]
    assert {line["night"] for line in lines} == {night["id"]}
    assert {line["event"] for line in lines} >= {"night-started", "run-started", "run-finished", "run-failed"}
    assert all(line["run"] and line["tenant"] for line in lines if line["event"].startswith("run-"))
    assert 'consent_auditor_tenant_exit_code{tenant="initech"} 3' in (folder / "m.prom").read_text()


@pytest.mark.parametrize(
    ("names", "code"),
    [
        pytest.param("globex", 0, id="passes"),
        pytest.param("initech", 3, id="no audit"),
        pytest.param("acme", 1, id="fails"),
    ],
)
def test_the_exit_code_is_that_of_the_tenants_that_ran(names: str, code: int, folder: Path) -> None:
    assert nightly(folder, 22, "--tenant", names).code == code


def test_mistakes_stop_everything_before_anything_runs(folder: Path) -> None:
    (folder / "consent-auditor.yaml").write_text(
        CONFIGURATION.replace("trackerrms-uk", "trackerms-uk").replace("snapshot: acme", "snapshott: acme")
    )
    wrong = nightly(folder, 22)
    typo = run("nightly", "run", "--config", "nigthly.yaml", cwd=folder)
    assert (wrong.code, wrong.out, typo.code) == (2, "", 2)
    assert not (folder / "state").exists() and not (folder / "out").exists()
    check_section(GOLDEN, "mistakes", wrong.session + typo.session)


@pytest.mark.parametrize("command", [pytest.param("run", id="run"), pytest.param("check", id="check")])
def test_without_a_configuration_or_the_extra_a_sentence_says_what_to_do(command: str, tmp_path: Path) -> None:
    none = run("nightly", command, cwd=tmp_path)
    assert none.code == 2 and "Write one with: consent-auditor nightly init" in none.err
    hidden = "import sys\nfor name in ('sqlalchemy', 'alembic', 'apprise', 'platformdirs'): sys.modules[name] = None\n"
    program = f"{hidden}from auditor.cli.program import main\nmain(['nightly', '{command}'])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER,
        check=False,
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "this folder has no consent-auditor.yaml" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("nightly run", id="a run"),
        pytest.param("nightly check", id="a check"),
        pytest.param("fleet onboard", id="the consent of customers"),
    ],
)
def test_a_missing_credential_is_answered_with_what_a_configuration_takes(command: str, tmp_path: Path) -> None:
    (tmp_path / "consent-auditor.yaml").write_text(
        "version: 1\nhistory: {file: h.db}\ntenants: [{tenant: contoso.example, packs: [trackerrms-uk]}]\n"
    )
    done = run(*command.split(), cwd=tmp_path)
    text = " ".join(f"{done.out} {done.err}".split())
    assert "name the tenant's credential in the configuration" in text
    assert "--auth" not in text


def test_a_history_that_cannot_be_opened_stops_everything(folder: Path) -> None:
    (folder / "state").mkdir()
    (folder / "state/history.db").write_text("this isn't a database, and it's longer than the header of one" * 20)
    done = nightly(folder, 22)
    assert (done.code, done.out) == (2, "")
    assert not (folder / "out").exists()


def test_init_writes_a_configuration_that_is_valid_and_never_overwrites(tmp_path: Path) -> None:
    done = run("nightly", "init", "new/nightly.yaml", cwd=tmp_path, env={"AZURE_TENANT_ID": "fabrikam.example"})
    assert done.code == 0
    text = (tmp_path / "new/nightly.yaml").read_text()
    assert yaml.safe_load(text)["tenants"] == [{"tenant": "fabrikam.example", "packs": ["trackerrms-uk", "cisa-scuba"]}]
    assert (tmp_path / "new/nightly.yaml").stat().st_mode & 0o077 == 0
    again = run("nightly", "init", "new/nightly.yaml", cwd=tmp_path)
    assert again.code == 2 and "isn't overwritten" in again.err
    assert (tmp_path / "new/nightly.yaml").read_text() == text


def test_every_key_in_the_comments_of_init_is_one_that_the_program_knows(tmp_path: Path) -> None:
    run("nightly", "init", cwd=tmp_path)
    file = tmp_path / "consent-auditor.yaml"
    # A comment that isn't a sentence is YAML.
    text = re.sub(r"(?m)^( *)# (?=[a-z-]|  )", r"\1", file.read_text())
    file.write_text(re.sub(r"/var/lib/node_exporter/|^[^\n]*fail-on-new[^\n]*$", "", text))
    (tmp_path / "customers.csv").write_text("tenant\nnorthwind.example\n")
    (tmp_path / "waivers.yaml").write_text("format: consent-auditor/waivers\nformat-version: 1\nwaivers: []\n")
    own_list = "apps: [{client-id: 12121212-3434-4545-8656-767676767676, name: Invented, why: Somebody saw it.}]"
    (tmp_path / "abused-apps.yaml").write_text(
        f'format: consent-auditor/abused-apps\nformat-version: 1\nread: "2026-01-15"\n{own_list}\n'
    )
    done = run("nightly", "check", "--tenant", "nobody", cwd=tmp_path)
    assert "the tenants are contoso, acme and northwind.example" in done.err, done.err


def test_check_tests_everything_without_a_run(folder: Path) -> None:
    with GraphServer(document_of("managed-default"), roles=("Policy.Read.All",)) as server:
        (folder / "consent-auditor.yaml").write_text(
            CONFIGURATION.replace(
                "{name: initech, snapshot: none.json}",
                f"{{name: live, tenant: @@, authority-host: '{server.authority}', graph-endpoint: '{server.graph}'}}",
            ).replace("@@", server.env()["AZURE_TENANT_ID"])
            + "notify: [{url: {env: TEAM}}, {url: {env: NONE}}]\nheartbeat: {url: {env: PING}}\nmetrics: m.prom\n"
        )
        environ = {**server.env(), "TEAM": "json://ping.example/hunter2", "PING": "https://ping.example/hunter2"}
        done = run("nightly", "check", cwd=folder, env={"CONSENT_AUDITOR_STATE": "state", **environ})
    assert done.code == 1, done.out + done.err
    assert "hunter2" not in done.out + done.err
    for said in (
        "ok    Signed in with secret as app",
        "FAIL  Policy.Read.PermissionGrant is missing",
        "FAIL  the environment variable NONE isn't set",
        "ok    The snapshot acme.json can be read",
    ):
        assert said in done.out
    assert not (folder / "out").exists() and not (folder / "m.prom").exists()


def test_check_and_run_agree_about_a_configuration_that_lists_nobody_and_say_what_to_do(folder: Path) -> None:
    (folder / "customers.csv").write_text("tenant,name,tags\n")
    (folder / "consent-auditor.yaml").write_text("version: 1\ntenants: [{csv: customers.csv, packs: [cisa-scuba]}]\n")
    advice = "Add a line for each customer below the names of the columns."
    checked = run("nightly", "check", cwd=folder, env=at(22))
    assert checked.code == 3
    assert "CSV file customers.csv\nFAIL  There are no customers in customers.csv\n" in checked.out
    assert f"{advice}\n\n1 problem found" in checked.out
    night = nightly(folder, 22)
    assert night.code == 3
    assert f"  - There are no customers in customers.csv. {advice}" in night.out
    assert night.out.endswith("0 tenants: the configuration lists none. 1 problem, listed above. Exit code 3.\n")


def test_check_shows_a_csv_file_and_an_empty_one_next_to_other_tenants(folder: Path) -> None:
    (folder / "some.csv").write_text("tenant,name\ncontoso.example,contoso\n")
    (folder / "none.csv").write_text("tenant,name\n")
    (folder / "consent-auditor.yaml").write_text(
        f"{CONFIGURATION.replace('none.json', 'acme.json')}  - {{csv: none.csv}}\n  - {{csv: some.csv}}\n"
    )
    checked = run("nightly", "check", "--tenant", "acme", cwd=folder, env=at(22))
    assert checked.code == 1, "runs can be made"
    assert "CSV file some.csv\nok    1 customer\n" in checked.out
    assert "FAIL  There are no customers in none.csv" in checked.out


# ---- How a run ends -------------------------------------------------------------------------------------------------


@contextmanager
def hanging(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that waits for ever for the snapshot of one tenant, after the others were done."""
    os.mkfifo(folder / "none.json")
    writer = os.open(folder / "none.json", os.O_RDWR)
    with interrupts(signal.default_int_handler):
        process = subprocess.Popen(
            [COMMAND, "nightly", "run", "--log-format", "json"],
            cwd=folder,
            env=environment(folder, at(22)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert process.stderr is not None
    seen: list[str] = []
    while sum("run-" in line for line in seen) < 5:
        seen.append(process.stderr.readline())
        assert seen[-1], "".join(seen)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        os.close(writer)
        (folder / "none.json").unlink()


@posix
@pytest.mark.parametrize(
    ("sign", "code"),
    [pytest.param(signal.SIGTERM, 143, id="asked to end"), pytest.param(signal.SIGINT, 130, id="Ctrl+C")],
)
def test_a_stopped_run_is_marked_and_says_so_in_one_sentence(sign: signal.Signals, code: int, folder: Path) -> None:
    with hanging(folder) as process:
        process.send_signal(sign)
        out, err = process.communicate(timeout=HUNG_AFTER)
    assert (process.returncode, out) == (code, "")
    assert err.splitlines()[-1].startswith("Stopped.") and "Traceback" not in err
    night = json.loads(nightly(folder, 23, "-f", "json").out)
    assert all(one["interrupted"] == [] for one in night["tenants"])


@posix
def test_the_next_night_repairs_what_a_killed_one_left(folder: Path) -> None:
    with hanging(folder) as process:
        process.kill()
        process.wait(timeout=HUNG_AFTER)
    write_tenant(folder / "none.json")
    night = json.loads(nightly(folder, 23, "-f", "json").out)
    found = {one["name"]: one for one in night["tenants"]}
    assert found["initech"]["interrupted"] == ["2026-11-22T02:00:00Z"]
    assert found["initech"]["run"]["state"] == found["acme"]["run"]["state"] == "finished"
    assert found["acme"]["since"] == "2026-11-22T02:00:00Z"
