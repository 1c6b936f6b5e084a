"""The pages of Microsoft's portals: where each address comes from, and that nothing names a page without a decision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from urllib.parse import urlsplit

import pytest

from auditor.facts.ids import CLOUDS, PAGES_WITHOUT_LINK, PATH_SEPARATOR, PORTAL_PAGES, PageAddress, portal_links
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Report
from auditor.packs.load import shipped_names
from auditor.snapshot.samples import sample, sample_names

OF_MICROSOFT = ("https://learn.microsoft.com/", "https://github.com/microsoft/", "https://github.com/MicrosoftDocs/")
OBJECT_ID, CLIENT_ID = "6301bbfc-a0c5-454e-8ff9-bb510944fe0c", "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
CONSENT = ("Entra ID", "Enterprise apps", "Consent and permissions", "User consent settings")
ADDRESSES = [
    pytest.param(address, id=f"{page.path[-1]} in {where}")
    for page in PORTAL_PAGES
    for where, address in (("the admin center", page.admin_center), ("the Azure portal", page.azure_portal))
    if address is not None
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_each_address_comes_from_microsoft_and_has_a_date(address: PageAddress) -> None:
    assert address.source.startswith(OF_MICROSOFT)
    assert date.fromisoformat(address.date).isoformat() == address.date
    assert re.fullmatch(r"(?:view|blade)/[\w~/{}-]+", address.fragment)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_link_leads_to_the_portal_of_its_cloud(cloud: str) -> None:
    portal = CLOUDS[cloud].portal
    steps = [PATH_SEPARATOR.join((portal, *page.path)).replace("{app}", "Tracker") for page in PORTAL_PAGES]
    links = portal_links(steps, cloud, app="Tracker", object_id=OBJECT_ID, client_id=CLIENT_ID)
    in_azure = [page for page in PORTAL_PAGES if page.azure_portal is not None]
    assert len(links) == len(PORTAL_PAGES if cloud == "global" else in_azure)
    for link in links:
        assert f"https://{urlsplit(link.address).netloc}" == portal
        assert link.path in PATH_SEPARATOR.join(steps)
        assert "{" not in link.address


def test_the_page_of_an_app_opens_by_its_two_ids() -> None:
    step = "Open https://entra.microsoft.com > Entra ID > Enterprise apps > All applications > A > B > Properties."
    (link,) = portal_links([step], "global", app="A > B", object_id=OBJECT_ID, client_id=CLIENT_ID)
    assert link.path == step.removeprefix("Open ").removesuffix(" > Properties.")
    assert link.address.endswith(f"/objectId/{OBJECT_ID}/appId/{CLIENT_ID}")


@pytest.mark.parametrize(
    ("app", "object_id"),
    [
        pytest.param("Tracker", "", id="the object ID isn't known"),
        pytest.param("Tracker", "user-1a2b3c", id="the IDs are redacted"),
        pytest.param("Track", OBJECT_ID, id="another app whose name starts the same"),
    ],
)
def test_an_app_that_is_not_known_for_sure_has_no_link(app: str, object_id: str) -> None:
    step = "https://entra.microsoft.com > Entra ID > Enterprise apps > All applications > Tracker > Permissions"
    assert portal_links([step], "global", app=app, object_id=object_id, client_id=CLIENT_ID) == ()


def test_a_path_of_another_cloud_has_no_link() -> None:
    assert portal_links([PATH_SEPARATOR.join(("https://portal.azure.cn", *CONSENT))], "global") == ()


@cache
def audited(name: str) -> Report:
    return build_report(sample(name), chosen_packs(["trackerrms-uk", "eidsca"]))


def named_paths(report: Report) -> Iterator[str]:
    of_findings = (fix for finding in report.findings for fix in finding.fixes)
    fixes = (*(fix for decision in report.decisions for fix in decision.fixes), *of_findings)
    for step in (step for fix in fixes for step in fix.steps.portal):
        yield from re.findall(r"https://[\w.]+ > (.+?)\.(?:\s|$)", step)


def is_known(path: tuple[str, ...]) -> bool:
    """Whether the path leads to a page of the table, or into one; the name of an app fits any."""
    known = (*(page.path for page in PORTAL_PAGES), *(page.path for page in PAGES_WITHOUT_LINK))
    return any(
        len(path) >= len(one)
        and all(part in (wanted, "{app}") or wanted == "{app}" for part, wanted in zip(path, one, strict=False))
        for one in known
    )


def test_each_page_that_a_rule_names_is_in_the_table() -> None:
    paths = {
        (rule.id, rule.fix.portal[1:])
        for pack in chosen_packs(set(shipped_names()) - {"trackerrms", "vendor-app"})
        for rule in pack.rules
        if rule.fix.portal
    }
    assert paths
    assert [each for each in sorted(paths) if not is_known(each[1])] == []


@pytest.mark.parametrize("name", sample_names())
def test_each_page_that_a_fix_names_is_in_the_table(name: str) -> None:
    assert [path for path in named_paths(audited(name)) if not is_known(tuple(path.split(PATH_SEPARATOR)))] == []


def test_fixes_and_findings_carry_the_links() -> None:
    report = audited("app-disabled")
    of_fixes = {link.address for one in report.decisions for fix in one.fixes for link in fix.steps.portal_links}
    of_findings = {link.address for one in report.findings for link in one.remediation.portal_links}
    assert any(OBJECT_ID in address for address in of_fixes)
    assert {urlsplit(address).fragment.split("/")[1] for address in of_findings} >= {
        "Microsoft_AAD_IAM",
        "Microsoft_AAD_UsersAndTenants",
    }


def test_every_page_without_a_link_says_why() -> None:
    assert all(page.why.endswith(".") for page in PAGES_WITHOUT_LINK)
    assert not {page.path for page in PAGES_WITHOUT_LINK} & {page.path for page in PORTAL_PAGES}
