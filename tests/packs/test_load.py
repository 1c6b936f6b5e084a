"""Text becomes a pack: defaults, inheritance and the digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import auditor.packs.load
from auditor.checks.connection import UsersCanConnect
from auditor.checks.user_consent import ConsentWorkflow, UserConsentSettingIs
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH
from auditor.model.rule import FindingOutcome, RequestMode, ScopeNeed, Severity
from auditor.packs import PackError
from auditor.packs.load import Source, file_source, load, shipped_names, shipped_source, stored_pack
from auditor.packs.parse import case_places, parse_with_warnings
from tests.packs.text import APP, HEAD, RULES, SOUND, loaded


def test_what_is_left_out_takes_its_default() -> None:
    pack = loaded(SOUND)
    assert (pack.name, pack.version, pack.title, pack.abstract, pack.extends) == ("mine", "1.0", "Mine", False, "")
    assert pack.app is not None
    assert pack.app.client_id == "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
    assert (pack.app.mode, pack.app.prompt_consent) == (RequestMode.DYNAMIC, False)
    assert (pack.app.publisher_verified, pack.app.owner_tenant) == (None, None)
    assert pack.app.scopes == (ScopeNeed(resource=MICROSOFT_GRAPH, value="Mail.Read"),)
    (rule,) = pack.rules
    assert (rule.id, rule.severity, rule.check) == ("MINE-1", Severity.LOW, UsersCanConnect())


def test_everything_that_is_said_is_kept() -> None:
    pack = loaded(
        HEAD
        + """\
about: All of it.
references: [https://example.com/help]
app:
  name: Mine
  client-id: 5353a3d2-8ca9-42d2-b567-ea399ccb5e38
  redirect-uris: [https://example.com/callback, http://localhost:8400]
  request: registered
  prompt-consent: true
  authority: organizations
  publisher-verified: true
  owner-tenant: 9AD9B9A2-5e78-454d-b065-a1c284cc4549
  registered-before-2020-11-08: false
  assumed: true
  source: the help page
  scopes:
    microsoft-graph: [Mail.Read, {scope: User.Read, required: false, assumed: false, source: the manual}]
    exchange-online: [EWS.AccessAsUser.All]
    11111111-2222-3333-4444-55555555555A: [anything]
rules:
  - id: MINE-1
    title: The setting is closed
    severity: critical
    why: |
      One line.
      And another.
    check: {kind: user-consent-setting, allowed: [none, low]}
    fix: {portal: ["{portal}", "{app}"], link: "{admin-consent-link}", role: Someone, note: "See {tenant-id}."}
    routes: [R1]
    references: [https://example.com/rule]
    frameworks: {cis-m365: "5.1.5.1"}
    cases:
      - name: a case
        sample: consent-off
        set: {adminConsentRequestPolicy: {isEnabled: null, reviewers: [{query: /users/1}]}}
        unread: [directorySettings]
        expect: not-applicable
        reason: because
"""
    )
    app, (rule,) = pack.app, pack.rules
    assert app is not None
    assert (app.mode, app.prompt_consent, app.authority) == (RequestMode.REGISTERED, True, "organizations")
    assert (app.publisher_verified, app.registered_before_2020_11_08) == (True, False)
    assert app.owner_tenant == "9ad9b9a2-5e78-454d-b065-a1c284cc4549"
    assert [(s.resource, s.value, s.required, s.assumed, s.source) for s in app.scopes] == [
        (MICROSOFT_GRAPH, "Mail.Read", True, True, "the help page"),
        (MICROSOFT_GRAPH, "User.Read", False, False, "the manual"),
        (EXCHANGE_ONLINE, "EWS.AccessAsUser.All", True, True, "the help page"),
        ("11111111-2222-3333-4444-55555555555a", "anything", True, True, "the help page"),
    ]
    assert rule.check == UserConsentSettingIs(allowed=("none", "low"))
    assert rule.why == "One line.\nAnd another."
    assert (rule.fix.portal, rule.fix.role, rule.routes) == (("{portal}", "{app}"), "Someone", ("R1",))
    (case,) = rule.cases
    assert case.set == {"adminConsentRequestPolicy": {"isEnabled": None, "reviewers": [{"query": "/users/1"}]}}
    assert (case.unread, case.expect, case.reason) == (
        ("directorySettings",),
        FindingOutcome.NOT_APPLICABLE,
        "because",
    )


def test_a_child_overrides_key_by_key_and_adds_rules(tmp_path: Path) -> None:
    (tmp_path / "parent.yaml").write_text(
        SOUND.replace("mine", "parent").replace("title: Mine", "about: Theirs\ntitle: T")
    )
    child = HEAD.replace("title: Mine\n", "extends: parent.yaml\n") + (
        "app: {redirect-uris: [https://example.com/]}\n"
        "rules:\n"
        "  - {id: MINE-1, severity: high}\n"
        "  - {id: MINE-2, title: T, severity: info, why: W, check: {kind: consent-workflow}}\n"
    )
    pack = loaded(child, tmp_path)
    assert (pack.name, pack.title, pack.about, pack.extends) == ("mine", "T", "Theirs", "parent.yaml")
    assert pack.app is not None
    assert (pack.app.name, pack.app.redirect_uris) == ("Mine", ("https://example.com/",))
    assert [(r.id, r.severity, r.title, r.check) for r in pack.rules] == [
        ("MINE-1", Severity.HIGH, "Users can connect", UsersCanConnect()),
        ("MINE-2", Severity.INFO, "T", ConsentWorkflow()),
    ]


PARENT_CASES = """\
    cases:
      - {name: a, sample: managed-default, expect: fail}
      - {name: b, sample: legacy-open, expect: pass}
"""


@pytest.mark.parametrize(
    ("rule", "cases"),
    [
        pytest.param("{id: MINE-1, severity: high}", ["a fail", "b pass"], id="kept"),
        pytest.param(
            "{id: MINE-1, cases: [{name: c, sample: consent-off, expect: fail}]}",
            ["a fail", "b pass", "c fail"],
            id="added",
        ),
        pytest.param(
            "{id: MINE-1, cases: [{name: a, sample: consent-off, expect: unknown}]}",
            ["b pass", "a unknown"],
            id="same name",
        ),
        pytest.param(
            "{id: MINE-1, check: {kind: app-enabled}, cases: [{name: c, sample: app-disabled, expect: fail}]}",
            ["c fail"],
            id="another check",
        ),
    ],
)
def test_cases_of_an_extended_rule_add_up(tmp_path: Path, rule: str, cases: list[str]) -> None:
    (tmp_path / "parent.yaml").write_text(SOUND.replace("mine", "parent") + PARENT_CASES)
    child = HEAD + f"extends: ./parent.yaml\nrules:\n  - {rule}\n"
    (found,) = loaded(child, tmp_path).rules
    assert [f"{case.name} {case.expect.value}" for case in found.cases] == cases


def test_a_parent_written_with_backslashes_is_found(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "parent.yaml").write_text(SOUND)
    assert loaded(HEAD + "extends: base\\parent.yaml\n", tmp_path).rules


def test_a_child_is_not_abstract_because_its_parent_is(tmp_path: Path) -> None:
    (tmp_path / "parent.yaml").write_text(HEAD + "abstract: true\n" + RULES)
    assert not loaded(HEAD + "extends: ./parent.yaml\n" + APP, tmp_path).abstract


def test_the_mistakes_of_a_parent_are_reported_in_the_parents_file(tmp_path: Path) -> None:
    (tmp_path / "parent.yaml").write_text(SOUND.replace("low", "lo"))
    with pytest.raises(PackError) as caught:
        loaded(HEAD + "extends: ./parent.yaml\n", tmp_path)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.near) == (str(tmp_path / "parent.yaml"), 13, "low")


def test_the_digest_is_of_every_text_in_the_chain(tmp_path: Path) -> None:
    def digest() -> str:
        return load(file_source(tmp_path / "child.yaml")).digest

    (tmp_path / "parent.yaml").write_text(SOUND)
    (tmp_path / "child.yaml").write_text(HEAD + "extends: ./parent.yaml\n")
    texts = [(tmp_path / name).read_bytes() for name in ("child.yaml", "parent.yaml")]
    first = digest()
    assert first == digest()
    assert first == hashlib.sha256(b"".join(hashlib.sha256(text).digest() for text in texts)).hexdigest()
    (tmp_path / "parent.yaml").write_text(SOUND + "# a comment\n")
    assert digest() != first


def test_a_case_can_be_found_in_its_file() -> None:
    places = case_places(shipped_source("trackerrms-uk"))
    place = places["VENDOR-WORKFLOW", "the workflow is off"]
    line = shipped_source("vendor-app").text.decode().splitlines()[place.line - 1]
    assert place.file.endswith("vendor-app.yaml")
    assert line[place.column - 1 :] == "the workflow is off"


SHIPPED = [shipped_source(name).text.decode() for name in shipped_names()]


def pack_or_error(text: str) -> None:
    try:
        loaded(text)
    except PackError as error:
        assert str(error)
        assert error.problems


@given(st.text())
def test_no_text_breaks_the_loader(text: str) -> None:
    pack_or_error(text)


@given(st.binary())
def test_no_bytes_break_the_loader(text: bytes) -> None:
    with pytest.raises(PackError):
        load(Source("f.yaml", text))


PIECES = ["- ", ": ", "\n", "  ", "[", "]", "{", "}", "'", '"', "&a ", "*a", "!x ", "<<: ", "| ", "> ", "? ", "#", "\t"]
VALUES = ["1", "no", "null", "[]", "{}", "app", "rules", "extends: ./mine.yaml", "check: {kind: x}", "\x00", "é", "1:1"]


@settings(deadline=None)
@given(
    st.sampled_from([SOUND, *SHIPPED]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(PIECES + VALUES)), min_size=1, max_size=4),
)
def test_no_damage_to_a_sound_pack_breaks_the_loader(text: str, damage: list[tuple[float, int, str]]) -> None:
    for where, lost, added in damage:
        at = int(where * len(text))
        text = text[:at] + added + text[at + lost :]
    pack_or_error(text)


JUNK = st.recursive(
    st.sampled_from(["", "x", "0", "true", "~", "'7'", "Mail.Read"]),
    lambda v: (
        st.lists(v, max_size=2).map(lambda i: f"[{', '.join(i)}]")
        | st.dictionaries(st.sampled_from(["id", "kind", "scope", "x", "set"]), v, max_size=2).map(
            lambda d: "{" + ", ".join(f"{k}: {v}" for k, v in d.items()) + "}"
        )
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.integers(0, 1000), JUNK)
def test_no_wrong_kind_of_value_breaks_the_loader(index: int, junk: str) -> None:
    lines = SHIPPED[0].splitlines()
    index %= len(lines)
    key, colon, _ = lines[index].partition(":")
    pack_or_error("\n".join([*lines[:index], f"{key}{colon} {junk}", *lines[index + 1 :]]))


@pytest.mark.parametrize("name", shipped_names())
def test_a_stored_pack_is_the_pack_that_its_text_describes(name: str) -> None:
    source = shipped_source(name)
    assert stored_pack(source) == parse_with_warnings(source)[0]


@pytest.mark.parametrize("changed", ["trackerrms-uk", "trackerrms", "vendor-app"])
def test_a_stored_pack_is_not_used_if_a_text_of_its_chain_has_changed(
    changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def source_of(name: str) -> Source:
        source = shipped_source(name)
        return source._replace(text=source.text + b"\n# changed\n") if name == changed else source

    monkeypatch.setattr(auditor.packs.load, "shipped_source", source_of)
    assert stored_pack(source_of("trackerrms-uk")) is None


@pytest.mark.parametrize(
    "content", [pytest.param(b"", id="empty"), pytest.param(b"[]", id="no store"), pytest.param(None, id="missing")]
)
def test_without_a_usable_store_the_text_is_parsed(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = parse_with_warnings(shipped_source("grants-hygiene"))[0]
    if content is not None:
        (tmp_path / "store.json").write_bytes(content)
    monkeypatch.setattr(auditor.packs.load, "STORE", tmp_path / "store.json")
    auditor.packs.load._store.cache_clear()
    try:
        assert stored_pack(shipped_source("grants-hygiene")) is None
        assert load(shipped_source("grants-hygiene")) == expected
    finally:
        auditor.packs.load._store.cache_clear()


def test_a_key_that_cannot_be_printed_is_quoted_with_visible_escapes() -> None:
    text = b'f\tormat: consent-auditor/pack\nformat-version: 1\npack: mine\nversion: "1"\ntitle: T\nrules: []\n'
    with pytest.raises(PackError) as caught:
        load(Source("mine.yaml", text))
    assert r'unknown key "f\tormat" in a pack; did you mean "format"?' in str(caught.value)
    assert "\t" not in str(caught.value)
