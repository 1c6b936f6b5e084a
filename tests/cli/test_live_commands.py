"""What the newer commands do with a live tenant: the real SDKs against the Graph server."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.cli.program import at, run, without_pdf
from tests.graphserver import GraphServer, Status
from tests.graphserver.call import Call
from tests.redact.named_tenant import Secret, named_tenant

APP = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
VENDOR = ("--pack", "trackerrms-uk")
SECRET = Secret("Zyxquorp")


def server_of(name: str) -> GraphServer:
    return GraphServer(json.loads(dumps(sample(name))))


def test_a_pack_is_made_of_what_a_live_tenant_granted(tmp_path: Path) -> None:
    with server_of("admin-consented") as server:
        done = run(
            *("packs", "new", "--app", APP, "--from-grants", "-o", "ours.yaml", *at(server)),
            cwd=tmp_path,
            env=server.env(),
        )
        asked = server.refused_writes
    assert done.code == 0, done.err
    assert asked == []
    text = (tmp_path / "ours.yaml").read_text(encoding="utf-8")
    assert "Mail.ReadWrite" in text
    assert "name: TrackerRMS" in text
    assert run("packs", "test", "ours.yaml", cwd=tmp_path).code == 0


def test_an_app_that_the_live_tenant_lacks_is_reported(tmp_path: Path) -> None:
    with server_of("managed-default") as server:
        done = run("packs", "new", "--app", APP, "--from-grants", *at(server), cwd=tmp_path, env=server.env())
    assert done.code == 2
    assert "is not in this tenant: read a tenant where it works" in done.err


@pytest.mark.parametrize("verb", ["check", "collect", "bundle"])
def test_a_live_tenant_is_redacted_before_anything_is_written(tmp_path: Path, verb: str) -> None:
    name = sample("consent-off-workflow").tenant.name
    words = {
        "check": (*VENDOR, "--redact", "-f", "json", "-o", "out"),
        "collect": (*VENDOR, "--redact", "-o", "out"),
        "bundle": (*VENDOR, "-o", "out"),
    }[verb]
    with server_of("consent-off-workflow") as server:
        done = run(verb, *words, *at(server), cwd=tmp_path, env=server.env() | without_pdf(tmp_path))
    assert done.code in (0, 1), done.err
    data = (tmp_path / "out").read_bytes()
    if verb == "bundle":
        with zipfile.ZipFile(tmp_path / "out") as archive:
            data = b"".join(archive.read(one) for one in archive.namelist() if not one.startswith("packs/"))
        assert run("bundle", "verify", "out", cwd=tmp_path).code == 0
    assert name.split()[0].lower().encode() not in data.lower()
    assert sample("consent-off-workflow").tenant.id.encode() not in data
    assert b"ffffffff-" in data


def test_the_user_of_a_live_check_is_redacted_and_decided_for(tmp_path: Path) -> None:
    document = json.loads(dumps(named_tenant(SECRET, "consent-off-workflow")))
    document["unread"] = {}
    with GraphServer(document) as server:
        words = ("check", *VENDOR, "--user", SECRET.upn, "--redact", "-f", "json", *at(server))
        done = run(*words, cwd=tmp_path, env=server.env())
    assert done.code == 1, done.err
    assert len(json.loads(done.out)["decisions"]) == 2
    assert [one for one in SECRET.strings if one in done.out.lower()] == []


@pytest.mark.parametrize(
    ("answer", "said", "advice"),
    [
        pytest.param(Status(404), "this tenant has no user nobody@x.example", "Check --user", id="Graph has none"),
        pytest.param(Status(404, code="NoRoute"), "could not be read (NoRoute)", "Try again", id="404 of a gateway"),
        pytest.param(Status(403), "could not be read (needs User", "User.Read.All", id="refused"),
    ],
)
def test_only_what_graph_says_of_a_user_means_that_there_is_none(
    tmp_path: Path, answer: Status, said: str, advice: str
) -> None:
    with server_of("managed-default") as server:
        server.fault("/users/nobody", answer, times=None)
        words = ("check", *VENDOR, "--user", "nobody@x.example", *at(server))
        done = run(*words, cwd=tmp_path, env=server.env())
    assert done.code == 3 and said in done.err and advice in done.err, done.err


@pytest.mark.parametrize(
    ("name", "code", "ends"),
    [
        pytest.param("admin-consented", 0, ": users can connect.", id="users can connect"),
        # So little time is left after the first read that there is no second one.
        pytest.param("managed-default", 1, "This is the report of the last read.", id="the time is over"),
    ],
)
def test_a_wait_ends_with_the_report_and_the_exit_code_of_the_last_read(
    tmp_path: Path, name: str, code: int, ends: str
) -> None:
    with server_of(name) as server:
        words = ("check", *VENDOR, "--wait-until", "connects", "--timeout", "10s", "-f", "json", *at(server))
        done = run(*words, cwd=tmp_path, env=server.env())
    assert done.code == code, done.err
    assert done.err.splitlines()[-1].endswith(ends)
    assert len(json.loads(done.out)["decisions"]) == 1


def is_answer_of_v1(call: Call) -> bool:
    return call.in_batch or ("/v1.0/" in call.text and "$batch" not in call.text)


@pytest.mark.parametrize("options", [pytest.param((), id="packs"), pytest.param(("--full",), id="full")])
@pytest.mark.parametrize(
    ("match", "answer", "said"),
    [
        pytest.param("/v1.0/", Status(503, retry_after=3600), "ry again", id="only beta answers"),
        pytest.param("/v1.0/", Status(404), "404", id="only beta is there"),
        pytest.param(
            is_answer_of_v1, Status(403), 'Run "consent-auditor doctor"', id="every section of v1.0 is refused"
        ),
    ],
)
def test_a_read_of_nothing_does_not_replace_an_earlier_snapshot(
    tmp_path: Path, options: tuple[str, ...], match: str, answer: Status, said: str
) -> None:
    earlier = dumps(sample("managed-default"))
    (tmp_path / "tenant.json").write_bytes(earlier)
    with server_of("managed-default") as server:
        server.fault(match, answer, times=None)
        words = ("collect", *VENDOR, "--pack", "cis-m365", *options, "-o", "tenant.json", "--timeout", "60")
        done = run(*words, *at(server), cwd=tmp_path, env=server.env())
    assert done.code == 3 and "No audit was made" in done.err and said in done.err, done.err
    assert (tmp_path / "tenant.json").read_bytes() == earlier


@pytest.mark.parametrize("options", [pytest.param((), id="packs"), pytest.param(("--full",), id="full")])
def test_what_a_new_snapshot_lacks_of_the_one_that_it_replaces_is_said(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    (tmp_path / "tenant.json").write_bytes(dumps(sample("managed-default")))
    with server_of("managed-default") as server:
        server.fault("/policies/permissionGrantPolicies", Status(403), times=None)
        words = ("collect", *VENDOR, *options, "-o", "tenant.json")
        done = run(*words, *at(server), cwd=tmp_path, env=server.env())
    assert done.code == 0, done.err
    assert "The earlier tenant.json had the consent policies; the new one doesn't." in done.err
