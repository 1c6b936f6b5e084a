"""The public names for scripts and notebooks."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import auditor


def test_a_script_can_check_a_tenant_in_four_lines() -> None:
    report = auditor.check(auditor.sample("managed-default"), auditor.load_packs(["trackerrms-uk"]))
    assert b"NEEDS ADMIN" in auditor.render_report(report, "text")


@pytest.mark.parametrize("name", auditor.__all__)
def test_every_public_name_leads_somewhere_and_says_what_it_promises(name: str) -> None:
    assert getattr(auditor, name).__doc__
    assert name in dir(auditor)


PARAMETERS = {
    "check": "snapshot packs user source tool waivers",
    "decide": "snapshot app subject",
    "load_packs": "names samples any_name",
    "load_snapshot": "path",
    "load_abused_apps": "names",
    "load_waivers": "names",
    "read_tenant": "target plan apps packs user progress environ",
    "render_report": "report format options",
    "sample": "name",
    "save_snapshot": "snapshot path",
}


@pytest.mark.parametrize("name", auditor.__all__)
def test_the_parameters_of_a_public_function_keep_their_names(name: str) -> None:
    assert set(PARAMETERS[name].split()) <= set(inspect.signature(getattr(auditor, name)).parameters)


def test_importing_the_package_loads_none_of_its_subpackages() -> None:
    script = "import sys, auditor; print([m for m in sys.modules if m.startswith('auditor.')])"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'utils'"):
        auditor.utils  # noqa: B018 - the access itself is under test
