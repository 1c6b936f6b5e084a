"""The subcommands of ``packs``, as the installed command answers them: what they print, where, and how they exit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.cli.program import Done, all_of, run
from tests.golden import check_section
from tests.packs.text import SOUND

GOLDEN = Path(__file__).parent / "golden/packs.txt"
APP = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
CASES = """\
    cases:
      - {name: nobody may, sample: consent-off, expect: fail}
      - {name: everybody may, sample: consent-off, expect: pass}
"""
FILES = {
    "ours/ours.yaml": SOUND.replace("pack: mine", "pack: ours") + CASES,
    "ours/second.yaml": SOUND.replace("pack: mine", "pack: second"),
    "broken.yaml": SOUND.replace("severity: low", "severity: grave").replace("why: ", "wy: "),
    "there.yaml": "mine\n",
}
CALLS: dict[str, tuple[str, ...]] = {
    "list": ("packs", "list"),
    "show-pack": ("packs", "show", "cisa-scuba"),
    "show-rule": ("packs", "show", "cisa-scuba/MS.AAD.5.2v1"),
    "show-rule-misspelt": ("packs", "show", "cisa-scuba", "MS.AAD.5.2"),
    "show-a-folder": ("packs", "show", "ours"),
    "lint": ("packs", "lint"),
    "lint-broken": ("packs", "lint", "broken.yaml", "ours/second.yaml", "nowhere.yaml"),
    "test": ("packs", "test", "trackerrms-uk"),
    "test-failing": ("packs", "test", "ours/"),
    "test-one-rule": ("packs", "test", "trackerrms-uk", "--rule", "vendor-workflow", "-v"),
    "test-unknown-rule": ("packs", "test", "trackerrms-uk", "--rule", "VENDOR-WORKFLO"),
    "new-from-scopes": ("packs", "new", "--app", APP, "--scopes", "Mail.Read offline_access", "--name", "Acme"),
    "new-from-grants": ("packs", "new", "--app", APP, "--from-grants", "--sample", "admin-consented"),
    "new-misspelt-scope": ("packs", "new", "--app", APP, "--scopes", "Mail.Raed"),
    "new-without-scopes": (
        *("packs", "new", "--from-url"),
        f"https://login.microsoftonline.com/common/adminconsent?client_id={APP}",
    ),
    "new-with-a-taken-name": (*("packs", "new", "--app", APP, "--scopes", "Mail.Read", "--pack-name", "cisa-scuba"),),
    "new-over-a-file": ("packs", "new", "--app", APP, "--scopes", "Mail.Read", "-o", "there.yaml"),
    "new-without-an-app": ("packs", "new"),
    "permissions": ("packs", "permissions", "--pack", "trackerrms-uk"),
    "permissions-access": ("packs", "permissions", "--pack", "cisa-scuba", "-f", "requiredResourceAccess"),
    "unknown-verb": ("packs", "shwo"),
}
CODES = {
    **dict.fromkeys(("show-rule-misspelt", "show-a-folder", "lint-broken", "test-unknown-rule"), 2),
    "new-with-a-taken-name": 2,
    **dict.fromkeys(("new-misspelt-scope", "new-without-scopes", "new-over-a-file", "new-without-an-app"), 2),
    "unknown-verb": 2,
    "test-failing": 1,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("packs")
    for name, text in FILES.items():
        (found / name).parent.mkdir(exist_ok=True)
        (found / name).write_text(text, encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def done(folder: Path) -> Iterator[Callable[[str], Done]]:
    with all_of({name: partial(run, *words, cwd=folder) for name, words in CALLS.items()}) as found:
        yield found


@pytest.mark.parametrize("name", CALLS)
def test_it_answers_as_it_was_read_and_approved(done: Callable[[str], Done], name: str) -> None:
    found = done(name)
    assert found.code == CODES.get(name, 0)
    check_section(GOLDEN, name, f"{found.session}{found.out}")


def test_a_pack_is_written_tested_and_used(folder: Path) -> None:
    made = run("packs", "new", "--app", APP, "--scopes", "Mail.Read", "--name", "Acme", "-o", "acme.yaml", cwd=folder)
    assert (made.code, made.out) == (0, "")
    assert "consent-auditor packs test acme.yaml" in made.err
    assert run("packs", "test", "acme.yaml", "--strict", cwd=folder).code == 0
    assert run("packs", "lint", "acme.yaml", "--strict", cwd=folder).code == 0
    checked = run("check", "--sample", "consent-off", "--pack", "acme.yaml", cwd=folder)
    assert checked.code == 1
    assert "connect Acme" in checked.out


def test_ones_own_packs_are_found_by_name_in_the_search_path(folder: Path) -> None:
    env = {"CONSENT_AUDITOR_PACKS": f"eidsca,{folder / 'ours'}"}
    listed = json.loads(run("packs", "list", "-f", "json", cwd=folder, env=env).out)
    assert [pack["name"] for pack in listed][-2:] == ["ours", "second"]
    assert run("packs", "show", "ours/MINE-1", cwd=folder.parent, env=env).code == 0
    checked = run("check", "--sample", "consent-off", "--pack", "second", cwd=folder.parent, env=env)
    assert "Can users of" in checked.out
    everything = run("check", "--sample", "consent-off", "-f", "json", cwd=folder.parent, env=env)
    assert {pack["name"] for pack in json.loads(everything.out)["packs"]} == {"eidsca", "ours", "second"}


def test_a_broken_pack_of_the_search_path_does_not_hide_the_others(folder: Path) -> None:
    found = run("packs", "list", cwd=folder, env={"CONSENT_AUDITOR_PACKS": f"broken.yaml,{folder / 'ours'},nowhere/"})
    assert found.code == 2
    assert "ours" in found.out
    broken, nowhere = found.err.splitlines()
    assert broken == "Broken and not listed: broken.yaml. To see why: consent-auditor packs lint broken.yaml"
    assert nowhere.startswith("A path in CONSENT_AUDITOR_PACKS has no pack: nowhere: can't be read")


DOUBT = "{kind: assigned-policies, expect: none, wording: {forbids: [microsoft-apps]}}"


def test_a_warning_about_a_pack_is_printed_wherever_it_is_used(folder: Path) -> None:
    (folder / "odd.yaml").write_text(SOUND.replace("{kind: users-can-connect}", DOUBT), encoding="utf-8")
    reported = 'Warning: odd.yaml:15:72: "microsoft-apps" isn\'t a known policy of Microsoft'
    for words in (("check", "--sample", "consent-off", "--pack", "odd.yaml"), ("packs", "test", "odd.yaml")):
        found = run(*words, cwd=folder)
        assert found.err.startswith(reported)
        assert len(found.err.splitlines()) == 1
        assert "microsoft-apps" not in found.out


def test_a_name_of_the_tenants_that_no_pack_may_hold_is_given_another(folder: Path) -> None:
    text = dumps(sample("admin-consented")).decode()
    (folder / "tenant.json").write_text(text.replace("TrackerRMS", "Tracker\\u202eRMS"), encoding="utf-8")
    new = ("packs", "new", "--app", APP, "--from-grants", "--snapshot", "tenant.json")
    found = run(*new, cwd=folder)
    assert found.code == 2
    assert "U+202E" in found.err
    assert "--name" in found.err
    assert run(*new, "--name", "Tracker", cwd=folder).code == 0


def test_the_access_of_an_app_registration_goes_to_a_file_by_its_ending(folder: Path) -> None:
    made = run("packs", "permissions", "--pack", "trackerrms-uk", "-o", "access.json", cwd=folder)
    assert (made.code, made.out) == (0, "")
    (access,) = json.loads((folder / "access.json").read_text(encoding="utf-8"))
    assert access["resourceAppId"] == "00000003-0000-0000-c000-000000000000"
    assert {one["type"] for one in access["resourceAccess"]} == {"Role"}


def test_a_scope_that_was_granted_once_and_is_gone_does_not_keep_a_pack_from_being_made(folder: Path) -> None:
    document = json.loads(dumps(sample("admin-consented")))
    for row in document["sections"]["oauth2PermissionGrants"]:
        row["scope"] += " Custom.Made.Up"
    (folder / "tenant.json").write_text(json.dumps(document), encoding="utf-8")
    app = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
    done = run(
        *("packs", "new", "--app", app, "--from-grants", "--snapshot", "tenant.json", "-o", "gone.yaml"), cwd=folder
    )
    assert done.code == 0, done.err
    assert "Left out Custom.Made.Up: it was granted, but its resource no longer publishes it." in done.err
    assert "Custom.Made.Up" not in (folder / "gone.yaml").read_text(encoding="utf-8")


def test_a_resource_named_by_an_unknown_address_is_reported_with_what_to_give(folder: Path) -> None:
    client = "11111111-2222-3333-4444-555555555555"
    scope = "https://vault.example/user_impersonation"
    done = run("packs", "new", "--app", client, "--scopes", scope, cwd=folder)
    assert done.code == 2
    assert "give the scope as APP-ID/user_impersonation" in done.err


def test_warnings_are_printed_along_with_errors(folder: Path) -> None:
    text = SOUND.replace("{kind: users-can-connect}", DOUBT).replace("severity: low", "severity: grave")
    (folder / "both.yaml").write_text(text, encoding="utf-8")
    done = run("packs", "lint", "both.yaml", cwd=folder)
    assert done.code == 2
    assert 'unknown severity "grave"' in done.out
    assert "warning:" in done.out
