"""``check --abused``, and what a report says about the lists of known abused apps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.program import Done, run

OWN = """\
format: consent-auditor/abused-apps
format-version: 1
read: "2026-01-15"
apps:
  - client-id: 5353a3d2-8ca9-42d2-b567-ea399ccb5e38
    name: Secretson's suspicion
    why: Secretson saw it.
"""
CHECK = ("check", "--sample", "stopped-users", "--pack", "grants-hygiene", "-f", "json")


def of(report: dict[str, Any], rule: str) -> dict[str, Any]:
    (found,) = (one for one in report["findings"] if one["rule"] == rule)
    return dict(found)


def check(folder: Path, *options: str, **environment: str) -> tuple[Done, dict[str, Any]]:
    (folder / "secretson.yaml").write_text(OWN)
    done = run(*CHECK, *options, cwd=folder, env=environment)
    return done, json.loads(done.out)


def test_your_own_list_is_added_and_named_with_its_digest_and_age(tmp_path: Path) -> None:
    done, report = check(tmp_path, CONSENT_AUDITOR_ABUSED="secretson.yaml")
    assert of(report, "HYG-ABUSED-MALICIOUS")["outcome"] == "fail"
    assert of(report, "HYG-ABUSED-LEGITIMATE")["outcome"] == "fail"
    assert [(one["name"], one["count"], one["days_old"]) for one in report["abused_apps"]] == [
        ("abused-apps", 35, 0),
        ("secretson.yaml", 1, 311),
    ]
    assert "Warning: the list secretson.yaml was 311 days old when the tenant was read." in done.err
    marked = {row["client_name"]: row["abused"] for row in report["granted"]["rows"]}
    assert (marked["eM Client"], marked["TrackerRMS"]) == ("legitimate", "malicious")


def test_your_own_list_is_redacted_and_the_verdicts_stay(tmp_path: Path) -> None:
    done, report = check(tmp_path, "--abused", "secretson.yaml", "--redact")
    assert "secretson" not in done.out.lower()
    assert report["abused_apps"][1]["name"] == "abused-apps-1.yaml"
    assert of(report, "HYG-ABUSED-MALICIOUS")["outcome"] == "fail"
    # The names of listed apps are public.
    assert "eM Client, Jotform, Spike" in of(report, "HYG-ABUSED-LEGITIMATE")["reason"]


def test_who_asks_about_a_listed_app_is_warned(tmp_path: Path) -> None:
    asked = ("--app", "ff8d92dc-3d82-41d6-bcbd-b9174d163620", "--scopes", "Mail.Read")
    done = run("check", "--sample", "managed-default", *asked, "-f", "json", cwd=tmp_path)
    assert "Warning: the app PerfectData Software is known to be malicious. Exports whole mailboxes." in done.err


def test_a_mistake_in_the_list_is_reported_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN.replace("why", "wyh"))
    done = run("check", "--pack", "grants-hygiene", "--abused", "own.yaml", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert 'own.yaml:7:5: unknown key "wyh" in an app; did you mean "why"?' in done.err
