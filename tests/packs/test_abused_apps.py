"""Each mistake in a list of known abused apps is reported at its place, and the shipped list is what an audit loads."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from auditor.facts.abused_apps import abused_by_id, days_between, lists_with, reference_to, shipped_list
from auditor.packs import PackError, PackProblems
from auditor.packs.abused_apps import decoded_form, load_abused_apps, load_abused_files, schema
from auditor.packs.load import Source, list_packs, load, shipped_list_source, shipped_names, shipped_source
from auditor.packs.yaml_nodes import plain, read

ROOT = Path(__file__).parents[2]
EXPORTER = "ff8d92dc-3d82-41d6-bcbd-b9174d163620"
HEAD = 'format: consent-auditor/abused-apps\nformat-version: 1\nread: "2026-11-22"\n'
SOUND = HEAD + f"apps:\n  - client-id: {EXPORTER.upper()}\n    why: Copies mail.\n"


def problems_of(text: str) -> str:
    with pytest.raises(PackError) as caught:
        load_abused_apps(Source("list.yaml", text.encode()))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        pytest.param("", "list.yaml:1:1: the file is empty; expected a list of abused apps", id="an empty file"),
        pytest.param(
            SOUND.replace("abused-apps", "waivers", 1),
            "list.yaml:1:9: this isn't a list of abused apps: it has another format or none;"
            " expected format: consent-auditor/abused-apps",
            id="another format",
        ),
        pytest.param(
            SOUND.replace("version: 1", "version: 2"),
            "list.yaml:2:17: this file has format-version 2, but this program only reads version 1; expected a newer"
            " consent-auditor",
            id="a later version",
        ),
        pytest.param(
            SOUND.replace('"2026-11-22"', "tomorrow"),
            'list.yaml:3:7: read "tomorrow" isn\'t a date; expected year, month and day in quotes, as in "2027-03-31"',
            id="no date",
        ),
        pytest.param(
            SOUND.replace(EXPORTER.upper(), "ff8d92dc"),
            'list.yaml:5:16: client-id "ff8d92dc" isn\'t a GUID',
            id="no client id",
        ),
        pytest.param(
            SOUND.replace("why", "wyh"),
            'list.yaml:6:5: unknown key "wyh" in an app; did you mean "why"?',
            id="a typo in a key",
        ),
        pytest.param(
            SOUND + f"  - {{client-id: {EXPORTER}, why: Again.}}\n",
            "list.yaml:7:17: the same app is already listed on line 5",
            id="an app twice",
        ),
        pytest.param(
            HEAD + "apps: []\n",
            "list.yaml:4:7: apps is empty, so the list would never find an app; expected at least one app",
            id="no apps",
        ),
        pytest.param(
            SOUND + "    scopes: {microsoft-grahp: [Mail.Read]}\n",
            'did you mean "microsoft-graph"?',
            id="a resource that doesn't exist",
        ),
    ],
)
def test_a_mistake_in_a_list_is_reported_at_its_place(text: str, reported: str) -> None:
    assert reported in problems_of(text)


def test_a_list_that_can_not_be_opened_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"missing\.yaml: can't be read"):
        load_abused_files([str(tmp_path / "missing.yaml")])


def test_an_entry_is_read_whole_and_its_client_id_in_lower_case() -> None:
    one = load_abused_apps(Source("list.yaml", SOUND.encode()))
    assert (one.name, one.read, one.apps[0].client_id, one.apps[0].legitimate) == (
        "list.yaml",
        "2026-11-22",
        EXPORTER,
        False,
    )


def test_the_shipped_list_is_the_one_that_an_audit_loads() -> None:
    assert load_abused_apps(shipped_list_source()) == shipped_list()


def test_the_shipped_list_is_no_pack() -> None:
    assert "abused-apps" not in (*shipped_names(), *(pack.name for pack in list_packs(abstract=True)))


def test_no_pack_that_this_project_maintains_for_a_vendor_is_about_a_listed_app() -> None:
    """Audits by these packs don't look their apps up, because the list costs time to load."""
    apps = {pack.app.client_id for pack in map(load, map(shipped_source, shipped_names())) if pack.app}
    assert apps & set(abused_by_id(lists_with(()))) == set()


def test_every_shipped_entry_has_a_source_and_each_related_app_is_listed() -> None:
    form = decoded_form(shipped_list_source())
    ids = {app.client_id for app in form.apps}
    assert [app.client_id for app in form.apps if not app.sources] == []
    assert {other for app in form.apps for other in app.related} <= ids
    assert (len(form.apps), sum(app.legitimate for app in form.apps)) == (35, 16)


def test_an_entry_of_your_own_list_comes_before_the_shipped_one() -> None:
    own = load_abused_apps(Source("own.yaml", SOUND.encode()))
    known = abused_by_id(lists_with([own]))
    assert known[EXPORTER].why == "Copies mail."
    assert len(known) == len(shipped_list().apps)


@pytest.mark.parametrize(
    ("taken", "days"),
    [
        pytest.param("2026-11-25T02:00:00Z", 3, id="three days later"),
        pytest.param("2026-11-01T02:00:00Z", 0, id="a snapshot that is older than the list"),
        pytest.param("", None, id="a snapshot without a time"),
    ],
)
def test_the_age_of_a_list_is_that_at_the_time_of_the_snapshot(taken: str, days: int | None) -> None:
    assert days_between("2026-11-22", taken) == days


def test_a_list_is_old_after_half_a_year() -> None:
    ages = [
        reference_to(shipped_list(), taken).is_old for taken in ("2027-05-21T00:00:00Z", "2027-05-22T00:00:00Z", "")
    ]
    assert ages == [False, True, False]


def test_the_example_of_the_docs_is_a_list_and_stands_in_the_page() -> None:
    (found,) = load_abused_files([str(ROOT / "docs/examples/abused-apps.yaml")])
    assert [(app.legitimate, app.since) for app in found.apps] == [(False, ""), (True, "2026-11-20")]
    example = (ROOT / "docs/examples/abused-apps.yaml").read_text(encoding="utf-8")
    shown = example[example.index("format:") :]
    assert shown in (ROOT / "docs/abused-apps.md").read_text(encoding="utf-8")


def accepted(text: bytes) -> bool:
    """Whether an editor that uses the schema accepts the text."""
    node = read(text, "list.yaml", PackProblems())
    return node is not None and Draft202012Validator(schema()).is_valid(plain(node))


def test_the_schema_accepts_the_shipped_list_and_refuses_what_the_loader_refuses() -> None:
    assert accepted(shipped_list_source().text)
    assert not accepted(f"{SOUND}    extra: 1\n".encode())
