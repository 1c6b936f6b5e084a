"""The grants of the HTML page: in few lines, and never as if what is left out were not there."""

from __future__ import annotations

from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.model.report import Audience, Granted, GrantKind, GrantRow, KnownAbuse
from auditor.render.html import render
from tests.render.pages import element_by_id, grants, replaced, tree, words_of
from tests.render.reports import connects


def test_ten_thousand_grants_stay_usable_and_the_rest_is_counted() -> None:
    page = render(grants(10_000))
    assert page.count("<bdi>App ") == 1000
    assert "10,000 grants in the whole directory" in page
    assert "9,000 more lines in short form" in page
    lines = "".join(element_by_id(page, "grant-lines").itertext()).split("\n")
    assert len(lines) == 9000
    assert lines[-1] == "App 9999 | Every user in the tenant | Graph: Mail.Read, User.Read"
    assert "Not in this file" not in page
    assert len(page) < 1_500_000


def test_where_even_the_short_lines_are_too_many_the_page_says_before_the_table_how_many_it_does_not_hold() -> None:
    page = render(grants(30_000))
    held = 1000 + "".join(element_by_id(page, "grant-lines").itertext()).count("\n") + 1
    assert f"Not in this file: {30_000 - held:,} more lines." in page
    assert page.index("Not in this file") < page.index('id="grant-list"')
    assert len(page) < 2_000_000


def test_paper_holds_the_first_lines_and_says_that_there_are_more() -> None:
    page = render(grants(10_000), for_print=True)
    assert page.count("<bdi>App ") == 100
    assert "Not in this file: 9,900 more lines." in page
    assert "in short form" not in page


def test_where_grants_are_left_out_single_users_are_not_the_ones_that_are_always_dropped() -> None:
    made = grants(3000).granted
    assert made is not None
    mine = tuple(
        replaced(row, client_id=f"own-{n}", client_name=f"Own {n}", audience=Audience.USER, principal=f"user{n}@x.com")
        for n, row in enumerate(made.rows)
    )
    page = render(replaced(connects(), granted=Granted(rows=(*made.rows, *mine), whole=True)))
    assert page.count("<bdi>App ") == page.count("<bdi>Own ") == 500


def test_one_app_with_many_lines_does_not_take_the_place_of_the_others() -> None:
    made = grants(1).granted
    assert made is not None
    many = tuple(replaced(made.rows[0], permissions=(f"Scope.{n}",)) for n in range(2000))
    other = replaced(made.rows[0], client_id="other", client_name="Quiet one")
    assert "Quiet one" in words_of(render(replaced(connects(), granted=Granted(rows=(*many, other), whole=True))))


def test_users_who_are_only_counted_are_there_for_the_filter_as_far_as_they_fit() -> None:
    one = grants(1).granted
    assert one is not None
    users = tuple(replaced(one.rows[0], audience=Audience.USER, principal=f'"{n}"@x.com') for n in range(20_000))
    few, all_of_them = (
        render(replaced(connects(), granted=Granted(rows=users[:number], whole=True))) for number in (50, 20_000)
    )
    row = element_by_id(few, "grant-list").find("tr")
    assert row is not None
    assert '"49"@x.com' in row.get("data-others", "").split("\n")
    assert "Not in this file" not in words_of(few)
    assert "Not in this file: 19,997 users." in words_of(all_of_them)
    assert "Grants 20,000 " in words_of(all_of_them), "the contents count grants, and not the lines that they share"
    assert len(all_of_them) < 300_000


def test_grants_that_differ_only_in_the_user_share_a_line() -> None:
    one = grants(1).granted
    assert one is not None
    users = tuple(replaced(one.rows[0], audience=Audience.USER, principal=f"user{n}@contoso.com") for n in range(5000))
    words = words_of(render(replaced(connects(), granted=Granted(rows=users, whole=True))))
    assert "user0@contoso.com, user1@contoso.com, user2@contoso.com and 4,997 more users" in words
    assert words.count("user3@contoso.com") == 0


def test_a_name_can_neither_end_its_line_in_short_nor_look_like_two_parts() -> None:
    """Those beyond the table are lines of text, which the filter goes through."""
    forged = "Mail sync\nMicrosoft Teams | Every user | Graph: User.Read"
    report = grants(1200)
    assert report.granted is not None
    rows = tuple(replaced(row, client_name=f"{forged} {row.client_name}") for row in report.granted.rows)
    page = render(replaced(report, granted=replaced(report.granted, rows=rows)))
    lines = "".join(element_by_id(page, "grant-lines").itertext()).split("\n")
    assert len(lines) == 200
    assert {line.count(" | ") for line in lines} == {2}


def test_an_agent_and_a_blueprint_are_marked_in_full_and_in_short() -> None:
    made = grants(2000).granted
    assert made is not None
    rows = tuple(replaced(row, client_kind="agent identity") for row in made.rows)
    page = render(replaced(connects(), granted=Granted(rows=rows, whole=True)))
    assert "agent identity, publisher " in words_of(page)
    assert " (agent identity) | Every user in the tenant" in "".join(element_by_id(page, "grant-lines").itertext())


def test_grants_are_grouped_by_app_and_the_riskiest_app_comes_first_with_its_risks_in_words() -> None:
    harmless, mailbox, daemon = (
        GrantRow(
            client_id=f"{n}-0000",
            client_name=name,
            kind=kind,
            resource_id=MICROSOFT_GRAPH,
            resource_name="Microsoft Graph",
            permissions=permissions,
            verified=verified,
        )
        for n, (name, kind, permissions, verified) in enumerate(
            (
                ("Notes", GrantKind.DELEGATED, ("User.Read",), None),
                ("Mailer", GrantKind.DELEGATED, ("Mail.ReadWrite",), False),
                ("Daemon", GrantKind.APPLICATION, ("User.Read.All",), True),
            )
        )
    )
    more = replaced(mailbox, audience=Audience.USER, principal="kim@contoso.example", permissions=("Files.Read",))
    page = render(replaced(connects(), granted=Granted(rows=(harmless, mailbox, daemon, more), whole=True)))
    rows = element_by_id(page, "grant-list").findall("tr")
    assert ["".join(cell.itertext()) for row in rows for cell in row.findall("th/bdi")] == ["Mailer", "Daemon", "Notes"]
    chips = [[chip.text for chip in row.iter("span") if "chip " in chip.get("class", "")] for row in rows]
    assert chips == [["mail", "files", "unverified publisher", "tenant-wide"], ["without a user"], ["tenant-wide"]]
    assert rows[0].get("data-lines") == "2"
    words = " ".join("".join(rows[0].itertext()).split())
    assert "Graph: Mail.ReadWrite (delegated, Every user in the tenant)" in words


def test_twenty_thousand_grants_stay_within_the_budget_of_size_and_elements() -> None:
    page = render(grants(20_000))
    assert len(page.encode()) < 3_000_000
    assert sum(1 for _ in tree(page).iter()) < 15_000


def test_a_known_abused_app_comes_first_and_one_that_nobody_uses_before_one_that_is_used() -> None:
    one = GrantRow(
        client_id="1",
        client_name="Notes",
        kind=GrantKind.DELEGATED,
        resource_id=MICROSOFT_GRAPH,
        resource_name="Microsoft Graph",
        permissions=("User.Read",),
        unused=False,
    )
    idle = replaced(one, client_id="2", client_name="Idle", unused=True)
    mailer = replaced(one, client_id="3", client_name="Mailer", permissions=("Mail.Read",), unused=None)
    thief = replaced(one, client_id="4", client_name="Thief", abused=KnownAbuse.MALICIOUS)
    product = replaced(one, client_id="5", client_name="Product", abused=KnownAbuse.LEGITIMATE)
    page = render(replaced(connects(), granted=Granted(rows=(one, idle, mailer, product, thief), whole=True)))
    rows = element_by_id(page, "grant-list").findall("tr")
    chips = [[chip.text for chip in row.iter("span") if "chip " in chip.get("class", "")] for row in rows]
    names = ["".join(cell.itertext()) for row in rows for cell in row.findall("th/bdi")]
    assert list(zip(names, chips, strict=True)) == [
        ("Thief", ["known abused", "malicious", "tenant-wide"]),
        ("Product", ["known abused", "tenant-wide"]),
        ("Mailer", ["mail", "tenant-wide"]),
        ("Idle", ["unused", "tenant-wide"]),
        ("Notes", ["tenant-wide"]),
    ]


def test_a_known_abused_app_is_never_among_the_lines_that_are_left_out() -> None:
    made = grants(3000).granted
    assert made is not None
    thief = replaced(made.rows[0], client_id="z", client_name="Zz Thief", abused=KnownAbuse.LEGITIMATE)
    page = render(replaced(connects(), granted=Granted(rows=(*made.rows, thief), whole=True)))
    first = element_by_id(page, "grant-list").find("tr")
    assert first is not None
    assert "Zz Thief" in "".join(first.itertext())
