"""The names of the dashboard's files, which no name of a tenant can lead out of its folder."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from auditor.model.history import Run
from auditor.model.site import SiteTenant

INDEX = "index.html"
FINDINGS = "findings.html"
STYLE = "style.css"

_PLAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")
_RESERVED = re.compile(r"con|prn|aux|nul|com[0-9]|lpt[0-9]")
"""File names that Windows reserves, also with an extension."""
_PAGE = re.compile(r"(?:(?:tenants|tags)/[a-z0-9-]{1,64}|runs/[a-z0-9-]{1,64}_[a-z0-9-]{1,64})\.html")


def tenant_page(tenant: SiteTenant) -> str:
    """The page of a tenant; its name stays the same when the tenant is renamed."""
    return f"tenants/{_slug(tenant.key)}.html"


def run_page(tenant: SiteTenant, run: Run) -> str:
    """The page of a run, named by the tenant, the time at which it started, and its id."""
    return f"runs/{_slug(tenant.key)}_{_slug(f'{_compact(run.started)}-{run.id}')}.html"


def tag_page(tag: str) -> str:
    """The page of the tenants with this tag."""
    return f"tags/{_slug(tag)}.html"


def is_page_name(name: str) -> bool:
    """Whether this can be the name of one of the dashboard's files, below its folder."""
    return name in (INDEX, FINDINGS, STYLE) or _PAGE.fullmatch(name) is not None


class PageLinks(NamedTuple):
    """Addresses relative to the page that shows them; `up` leads from its folder to the dashboard's."""

    up: str = ""

    def home(self) -> str:
        """The index."""
        return f"{self.up}{INDEX}"

    def findings(self) -> str:
        """The open findings of all tenants."""
        return f"{self.up}{FINDINGS}"

    def style(self) -> str:
        """The style sheet."""
        return f"{self.up}{STYLE}"

    def tenant(self, tenant: SiteTenant) -> str:
        """The page of a tenant."""
        return f"{self.up}{tenant_page(tenant)}"

    def run(self, tenant: SiteTenant, run: Run) -> str:
        """The page of a run of this tenant."""
        return f"{self.up}{run_page(tenant, run)}"

    def tag(self, tag: str) -> str:
        """The page of a tag."""
        return f"{self.up}{tag_page(tag)}"


def _compact(time: str) -> str:
    """``20261122t020000z``."""
    return time.lower().replace("-", "").replace(":", "")


def _slug(text: str) -> str:
    """The text, if every file system can hold it as a name, or what is left of it with a digest of the whole."""
    if _PLAIN.fullmatch(text) and not _RESERVED.fullmatch(text):
        return text
    readable = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{readable}-{digest}" if readable else digest
