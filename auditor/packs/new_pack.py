"""The text of a new pack: the facts about an app, in the style of the shipped packs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import yaml

from auditor.facts.ids import RESOURCES
from auditor.model.rule import App, NeededApp, RequestMode, RoleNeed, ScopeNeed, VendorAdvice
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


def pack_text(app: App, *, name: str, source: str = "", read: str = "") -> str:
    """A pack that checks `app` by the rules for any vendor's app.

    `source` is where its scopes come from, and `read` the day on which that was read, as in the catalogue of apps. The
    text isn't validated: loading it reports what is wrong with the app's scopes and addresses.
    """
    label = app.name or f"App {app.client_id[:8]}"
    head = {
        "format": FORMAT,
        "format-version": FORMAT_VERSION,
        "pack": name,
        "version": "1.0",
        "title": label if app.category else f"{label} connection",
        "about": f"{label} connects to Microsoft 365."
        if app.category
        else f"Can users connect {label}? If not, which setting stops them, and what is the least that an"
        " administrator has to change?",
        "extends": "vendor-app",
    }
    return "".join(
        (
            f"# {_comment(label)}, checked by the rules for any vendor's app (consent-auditor packs show vendor-app).\n"
            "# docs/writing-rules.md describes what else you can add: your own rules, cases, references.\n\n",
            _yaml(head),
            "\napp:\n",
            _indented(_yaml(_app(app, label, source, read))),
            _indented(_yaml({"scopes": _permissions(app.scopes)})) if app.scopes else "",
            _indented(_yaml({"app-roles": _permissions(app.app_roles)})) if app.app_roles else "",
        )
    )


def _app(app: App, label: str, source: str, read: str) -> Mapping[str, Any]:
    described = {"vendor": app.vendor, "category": app.category}
    found: dict[str, Any] = {"name": label, **{k: v for k, v in described.items() if v}, "client-id": app.client_id}
    if uris := [uri for uri in app.redirect_uris if redirect_uri(uri) is None]:
        found["redirect-uris"] = uris
    if app.mode is not RequestMode.DYNAMIC or (source and read):
        found["request"] = app.mode.value
    if app.prompt_consent:
        found["prompt-consent"] = True
    names = _resource_names()
    more = {
        "prompt": app.prompt if app.prompt in ("none", "admin_consent") else "",
        "default-resources": [names.get(one, one) for one in app.default_resources],
        "sends-no-redirect-uri": app.sends_no_redirect_uri,
        "clouds": list(app.clouds),
        "faults": [{k: v for k, v in msgspec.structs.asdict(one).items() if v} for one in app.faults],
    }
    found |= {key: value for key, value in more.items() if value}
    if app.authority:
        found["authority"] = app.authority
    found["publisher-verified"] = "unknown" if app.publisher_verified is None else app.publisher_verified
    if app.verified_publisher_id:
        found["verified-publisher-id"] = app.verified_publisher_id
    found["owner-tenant"] = app.owner_tenant or "unknown"
    if app.consent_link:
        found["consent-link"] = app.consent_link
    if source:
        found["source"] = [_claims(found, source, read)] if read else source
    listed: dict[str, tuple[NeededApp | VendorAdvice, ...]] = {
        "also-needs": app.also_needs,
        "vendor-advice": app.vendor_advice,
    }
    return found | {key: [_filled(one) for one in values] for key, values in listed.items() if values}


def _claims(found: Mapping[str, Any], source: str, read: str) -> Mapping[str, Any]:
    """The source of what a person stated."""
    what = ["client-id", "scopes", *(key for key in ("request", "redirect-uris", "consent-link") if key in found)]
    return {"what": what, "source": source, "read": read}


def _filled(value: NeededApp | VendorAdvice) -> Mapping[str, Any]:
    """The keys of a table that aren't empty, as packs spell them."""
    return {key.replace("_", "-"): one for key, one in msgspec.structs.asdict(value).items() if one}


def _resource_names() -> Mapping[str, str]:
    """The names of resources in packs, by app id."""
    return {app_id: name for name, app_id in RESOURCES.items()}


def _permissions(needs: Iterable[ScopeNeed | RoleNeed]) -> Mapping[str, list[str | Mapping[str, Any]]]:
    """The permissions by resource: by its name in packs, or by its app id if it has none."""
    names = _resource_names()
    found: dict[str, list[str | Mapping[str, Any]]] = {}
    for need in needs:
        found.setdefault(names.get(need.resource, need.resource), []).append(_permission(need))
    return found


def _permission(need: ScopeNeed | RoleNeed) -> str | Mapping[str, Any]:
    """A permission, with details if it is optional or assumed."""
    details: dict[str, Any] = {} if need.required else {"required": False}
    if need.assumed:
        details |= {"assumed": True, "source": need.source or "not stated"}
    key = "role" if isinstance(need, RoleNeed) else "scope"
    return {key: need.value, **details} if details else need.value


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
