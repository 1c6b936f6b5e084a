"""The text of a new pack: the facts about an app, in the style of the shipped packs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import yaml

from auditor.facts.ids import RESOURCES
from auditor.model.rule import App, RequestMode, ScopeNeed
from auditor.packs.forms import FORMAT, FORMAT_VERSION
from auditor.packs.parse import is_reserved
from auditor.packs.text_conditions import redirect_uri

_LONGEST_NAME = 40
_WIDTH = 108


def name_for(app: App) -> str:
    """A valid name for the app's pack that no shipped pack has."""
    plain = unicodedata.normalize("NFKD", app.name).encode("ascii", "ignore").decode().lower()
    slug = "-".join(re.findall("[a-z0-9]+", plain))[:_LONGEST_NAME].strip("-")
    return f"{slug}-own" if is_reserved(slug) else slug or f"app-{app.client_id[:8]}"


def pack_text(app: App, *, name: str, source: str = "") -> str:
    """A pack that checks `app` by the rules for any vendor's app; `source` is where its scopes come from.

    The text isn't validated: loading it reports what is wrong with the app's scopes and addresses.
    """
    label = app.name or f"App {app.client_id[:8]}"
    head = {
        "format": FORMAT,
        "format-version": FORMAT_VERSION,
        "pack": name,
        "version": "1.0",
        "title": f"{label} connection",
        "about": f"Can users connect {label}? If not, which setting stops them, and what is the least that an"
        " administrator has to change?",
        "extends": "vendor-app",
    }
    return "".join(
        (
            f"# {_comment(label)}, checked by the rules for any vendor's app (consent-auditor packs show vendor-app).\n"
            "# docs/writing-rules.md describes what else you can add: your own rules, cases, references.\n\n",
            _yaml(head),
            "\napp:\n",
            _indented(_yaml(_app(app, label, source))),
            _indented(_yaml({"scopes": _scopes(app.scopes)})) if app.scopes else "",
        )
    )


def _app(app: App, label: str, source: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {"name": label, "client-id": app.client_id}
    if uris := [uri for uri in app.redirect_uris if redirect_uri(uri) is None]:
        found["redirect-uris"] = uris
    if app.mode is not RequestMode.DYNAMIC:
        found["request"] = app.mode.value
    if app.prompt_consent:
        found["prompt-consent"] = True
    names = _resource_names()
    more = {
        "prompt": app.prompt if app.prompt in ("none", "admin_consent") else "",
        "default-resources": [names.get(one, one) for one in app.default_resources],
        "sends-no-redirect-uri": app.sends_no_redirect_uri,
        "faults": [{k: v for k, v in msgspec.structs.asdict(one).items() if v} for one in app.faults],
    }
    found |= {key: value for key, value in more.items() if value}
    if app.authority:
        found["authority"] = app.authority
    found["publisher-verified"] = "unknown" if app.publisher_verified is None else app.publisher_verified
    found["owner-tenant"] = app.owner_tenant or "unknown"
    if source:
        found["source"] = source
    return found


def _resource_names() -> Mapping[str, str]:
    """The names of resources in packs, by app id."""
    return {app_id: name for name, app_id in RESOURCES.items()}


def _scopes(needs: Iterable[ScopeNeed]) -> Mapping[str, list[str]]:
    """The scopes by resource: by its name in packs, or by its app id if it has none."""
    names = _resource_names()
    found: dict[str, list[str]] = {}
    for need in needs:
        found.setdefault(names.get(need.resource, need.resource), []).append(need.value)
    return found


class _NewPackDumper(yaml.SafeDumper):
    """Lists are indented below their key, as in the shipped packs."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, indentless=False)


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.dump(
        value, Dumper=_NewPackDumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=False
    )


def _indented(text: str) -> str:
    return "".join(f"  {line}" if line.strip() else line for line in text.splitlines(keepends=True))


def _comment(text: str) -> str:
    """Text that cannot end its comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
