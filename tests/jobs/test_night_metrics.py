"""The metrics of nightly runs, as Prometheus reads them, and the alerts on them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from auditor.jobs.night_metrics import PREFIX, LastRuns, metrics_text
from auditor.model.decision import Outcome
from auditor.model.history import Run, RunDecision, RunFinding, RunState
from auditor.model.night import Night
from auditor.model.rule import FindingOutcome, Severity
from tests.jobs.nights import Nights, write_tenant
from tests.limits import HUNG_AFTER
from tests.packaging.tree import ROOT

ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
NOW = "2026-11-22T02:00:00Z"
NIGHT = Night(id="n", tool="t", configuration="c", history="h", started=NOW, finished=NOW)
_SAMPLE = re.compile(r'([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})? (-?[0-9.]+)')


def samples(text: str) -> dict[str, float]:
    """Every sample of the file, by name and labels. Fails for what the format doesn't allow."""
    found: dict[str, float] = {}
    typed: list[str] = []
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind == "gauge" and name not in typed
            typed.append(name)
            continue
        match = _SAMPLE.fullmatch(line)
        assert match, line
        assert match[1] == typed[-1], "samples follow the TYPE of their metric, without a timestamp"
        key = f"{match[1]}{match[2] or ''}"
        assert key not in found, f"{key} is there twice"
        found[key] = float(match[3])
    return found


def run(**more: object) -> Run:
    """A finished run."""
    values = {"id": "1", "tenant": "t", "name": "t", "state": RunState.FINISHED, "started": NOW, "finished": NOW}
    return Run(**values | more)  # type: ignore[arg-type]  # the fields of a run


def test_names_cannot_break_the_format() -> None:
    name = 'a"b\\c\nd{}=,é'
    decision = RunDecision(app=name, client_id="x", outcome=Outcome.BLOCKED)
    state = LastRuns(name, run(decisions=(decision,)), run(decisions=(decision,)), (), 0)
    found = samples(metrics_text(NIGHT, [state], 24))
    assert found[PREFIX + r'_tenant_decision{tenant="a\"b\\c\nd{}=,é",app="a\"b\\c\nd{}=,é",outcome="blocked"}'] == 1


def test_every_outcome_and_severity_has_a_sample_so_that_zero_is_not_missing() -> None:
    failing = RunFinding(
        fingerprint="f", rule="r", pack="p", title="t", severity=Severity.HIGH, outcome=FindingOutcome.FAIL
    )
    found = samples(metrics_text(NIGHT, [LastRuns("t", run(), run(), (failing,), 0)], 24))
    counts = {key: value for key, value in found.items() if "tenant_findings" in key}
    assert len(counts) == len(FindingOutcome) * len(Severity)
    assert counts[f'{PREFIX}_tenant_findings{{tenant="t",outcome="fail",severity="high"}}'] == 1
    assert sum(counts.values()) == 1


def test_two_apps_of_one_name_are_kept_apart() -> None:
    decisions = tuple(RunDecision(app="A", client_id=str(n), outcome=Outcome.NEEDS_ADMIN) for n in range(2))
    found = samples(metrics_text(NIGHT, [LastRuns("t", None, run(decisions=decisions), (), 0)], 24))
    assert {key for key, value in found.items() if "decision" in key and value} == {
        f'{PREFIX}_tenant_decision{{tenant="t",app="A {n}",outcome="needs-admin"}}' for n in range(2)
    }


@pytest.mark.parametrize(
    ("ends", "days"),
    [
        pytest.param("2026-12-22", 30, id="day"),
        pytest.param("2026-12-22T02:00:00Z", 30, id="time"),
        pytest.param("2026-11-20T02:00:00Z", -2, id="over"),
        pytest.param("", None, id="not known"),
    ],
)
def test_the_end_of_the_credential_is_in_days(ends: str, days: int | None) -> None:
    found = samples(metrics_text(NIGHT, [LastRuns("t", run(credential_expires=ends), None, (), 0)], 24))
    assert found.get(f'{PREFIX}_tenant_credential_expiry_days{{tenant="t"}}') == days


def test_a_night_writes_all_tenants_also_those_that_it_left_out(tmp_path: Path) -> None:
    write_tenant(tmp_path / "a.json")
    nights = Nights(
        tmp_path,
        "version: 1\ndefaults: {packs: [trackerrms-uk]}\nmetrics: m.prom\n"
        "tenants: [{name: a, snapshot: a.json}, {name: b, snapshot: b.json}]\n",
    )
    nights.run("2026-11-22T02:00:00Z")
    nights.run("2026-11-23T02:00:00Z", ["b"])
    found = samples((tmp_path / "m.prom").read_text(encoding="utf-8"))
    assert (tmp_path / "m.prom").stat().st_mode & 0o044 == 0o044, "the node exporter is another user"
    last, success = (f"{PREFIX}_tenant_last_{name}_timestamp_seconds" for name in ("run", "success"))
    assert found[f'{last}{{tenant="b"}}'] - found[f'{last}{{tenant="a"}}'] == 86_400
    assert f'{success}{{tenant="b"}}' not in found and f'{success}{{tenant="a"}}' in found
    assert found[f'{PREFIX}_tenant_exit_code{{tenant="b"}}'] == 3


def test_metrics_that_cannot_be_written_do_not_lose_the_night(tmp_path: Path) -> None:
    write_tenant(tmp_path / "a.json")
    nights = Nights(tmp_path, "version: 1\ntenants: [{name: a, snapshot: a.json, packs: [trackerrms-uk]}]\n")
    (tmp_path / "folder").mkdir()
    night = nights.run(NOW, metrics=str(tmp_path / "folder"))
    assert night.exit_code == 1 and "metrics could not be written" in night.problems[0]


def every_metric() -> str:
    """The metrics with everything in them."""
    decision = RunDecision(app="A", client_id="x", outcome=Outcome.BLOCKED)
    full = run(decisions=(decision,), exit_code=0, seconds=1.5, changes=0, credential_expires="2027-01-01")
    return metrics_text(NIGHT, [LastRuns("t", full, full, (), 0)], 24)


def test_the_alerts_and_the_documentation_name_the_metrics_that_are_written() -> None:
    written = {key.partition("{")[0] for key in samples(every_metric())}
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    named = {name for rule in group["rules"] for name in re.findall(rf"{PREFIX}\w+", rule["expr"])}
    assert named and named <= written
    page = (ROOT / "docs/nightly.md").read_text(encoding="utf-8")
    assert {name for name in written if f"`{name.removeprefix(PREFIX + '_')}`" not in page} == set()


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool isn't installed")
def test_promtool_accepts_the_alerts_and_the_metrics() -> None:
    rules = ["promtool", "check", "rules", str(ALERTS)]
    done = subprocess.run(rules, capture_output=True, text=True, timeout=HUNG_AFTER, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    metrics = ["promtool", "check", "metrics"]
    done = subprocess.run(
        metrics, input=every_metric(), capture_output=True, text=True, timeout=HUNG_AFTER, check=False
    )
    # Days are easier to read in an alert; the same is there in seconds.
    advice = [line for line in done.stderr.splitlines() if "expiry_days" not in line]
    assert advice == [], "promtool has more to say than its advice about the unit"
