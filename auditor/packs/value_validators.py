"""What the texts of a pack may say: ids, addresses, placeholders. Each returns what is wrong, or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from urllib.parse import urlsplit

from auditor.consent.request import is_guid as is_guid
from auditor.facts.ids import MICROSOFT_GRAPH, OPENID_SCOPES, RESOURCE_NAMES
from auditor.facts.scope_lists import RESOURCES, SCOPE_LISTS, listed_scopes, spellings
from auditor.facts.scopes import is_complete, known_scope_ids, known_scopes
from auditor.model.sections import Sections
from auditor.packs.decode import Wrong
from auditor.packs.pack_errors import listed, nearest
from auditor.packs.typo_suggestions import slip_of_guid, slip_of_name

PLACEHOLDERS = ("tenant-id", "client-id", "app", "redirect-uri", "scopes", "admin-consent-link", "portal")
"""What the texts of a fix may hold in braces."""

ROUTES = ("R1", "R3", "R4", "R5", "R6", "R7", "R8", "R9")
"""The fixes that a rule may name: the routes of `auditor.fixes`."""

SETTINGS = ("none", "low", "recommended", "legacy", "custom")
LEVELS = ("low", "medium", "high")

Check = Callable[[str], Wrong | None]

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RULE_ID = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")
_AUTHORITY = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_BRACES = re.compile(r"\{([^{}]*)\}")


def guid(text: str) -> Wrong | None:
    """An app or tenant id."""
    return None if is_guid(text) else Wrong(f'"{text}" is no GUID', "five groups of 8-4-4-4-12 digits 0-9 and a-f")


def pack_name(text: str) -> Wrong | None:
    """The name of a pack, which is also what its file is called."""
    if _NAME.fullmatch(text) and len(text) <= 64:
        return None
    return Wrong(f'"{text}" is no name of a pack', "small letters, digits and single hyphens, as in trackerrms-uk")


def rule_id(text: str) -> Wrong | None:
    """The id of a rule."""
    if _RULE_ID.fullmatch(text) and len(text) <= 64:
        return None
    return Wrong(f'"{text}" is no id of a rule', "letters and digits, joined by hyphens or dots, as in VENDOR-CONNECT")


def one_line(text: str) -> Wrong | None:
    """A title."""
    return Wrong("has more than one line", "a single line") if "\n" in text else None


def web_address(text: str) -> Wrong | None:
    """An address that a reader opens."""
    return None if _is_url(text, ("https", "http")) else Wrong(f'"{text}" is no web address', "https://…")


def redirect_uri(text: str) -> Wrong | None:
    """Where the sign-in page may send the user back to."""
    local = _is_url(text, ("http",)) and urlsplit(text).hostname in ("localhost", "127.0.0.1")
    if (_is_url(text, ("https",)) or local or _is_of_an_installed_app(text)) and not re.search(r"[#*\s]", text):
        return None
    return Wrong(f'"{text}" is no redirect URI', "https://… without # or *, http://localhost, or an app's own scheme")


def _is_of_an_installed_app(text: str) -> bool:
    """Whether the address is one that a mobile or desktop app has for itself, as ``msauth.com.example://auth``."""
    scheme, colon, rest = text.partition(":")
    own = re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme, re.IGNORECASE) and not nearest(scheme.lower(), ("http", "https"))
    return bool(own and colon and rest.strip("/")) and scheme.lower() not in ("javascript", "data", "file")


def authority(text: str) -> Wrong | None:
    """Whose sign-in page the app uses."""
    if _AUTHORITY.fullmatch(text):
        return None
    return Wrong(f'"{text}" is no authority', "organizations, common, a tenant id or a domain name, without https://")


def resource(text: str) -> Wrong | None:
    """The key of a list of scopes."""
    if text in RESOURCES:
        return None
    if is_guid(text):
        near = slip_of_guid(text, RESOURCE_NAMES)
        return Wrong(f'"{text}" is almost the id of {RESOURCE_NAMES[near]}', near=near) if near else None
    return Wrong(f'"{text}" is no resource', f"{', '.join(RESOURCES)} or an app id", nearest(text, RESOURCES))


def route(text: str) -> Wrong | None:
    """A fix of the engine."""
    return None if text in ROUTES else Wrong(f'"{text}" is no route', listed(ROUTES), nearest(text, ROUTES))


def setting(text: str) -> Wrong | None:
    """A user consent setting of the portal."""
    return None if text in SETTINGS else Wrong(f'"{text}" is no setting', listed(SETTINGS), nearest(text, SETTINGS))


def level(text: str) -> Wrong | None:
    """The classification of a delegated permission."""
    return None if text in LEVELS else Wrong(f'"{text}" is no classification', listed(LEVELS), nearest(text, LEVELS))


def section(text: str) -> Wrong | None:
    """A section of a snapshot, or ``section/part``."""
    name, known = text.partition("/")[0], Sections.__struct_fields__
    return None if name in known else Wrong(f'"{name}" is no section', listed(known), nearest(name, known))


def filled(text: str) -> Wrong | None:
    """A text with placeholders."""
    for name in _BRACES.findall(text):
        if name not in PLACEHOLDERS:
            near = nearest(name, PLACEHOLDERS)
            known = listed(f"{{{known}}}" for known in PLACEHOLDERS)
            return Wrong(f"holds the unknown placeholder {{{name}}}", known, f"{{{near}}}" if near else "")
    if "{" in (rest := _BRACES.sub("", text)) or "}" in rest:
        return Wrong("holds a brace without its partner")
    return None


def link(text: str) -> Wrong | None:
    """The one address of a fix: a placeholder, or a web address with or without some."""
    if wrong := filled(text):
        return wrong
    if text.startswith(("{admin-consent-link}", "{portal}")):
        return None
    if web_address(_BRACES.sub("x", text)) is None:
        return None
    return Wrong(f'"{text}" is no web address', "https://… or {admin-consent-link}")


def scope_of(resource_id: str, text: str) -> Wrong | None:
    """A delegated permission of the resource; a name that it surely does not publish is wrong."""
    if "/" in text or text.split() != [text]:
        return Wrong(f'"{text}" is no scope', "the bare name of one scope, as in Mail.Read")
    if text.lower() == ".default":
        return Wrong("names .default", "the scopes themselves, and request: default in the app")
    if text.lower() in OPENID_SCOPES and resource_id != MICROSOFT_GRAPH:
        return Wrong(f'"{text}" is a scope of Microsoft Graph', "it under microsoft-graph")
    known = _scopes_of(resource_id)
    if not known or text.lower() in known:
        return None
    on = RESOURCE_NAMES.get(resource_id, resource_id)
    if is_complete(resource_id):
        kin = [name for name in known.values() if name.partition(".")[0].lower() == text.partition(".")[0].lower()]
        return Wrong(f'"{text}" is not on {on}', near=nearest(text, kin) or nearest(text, known.values()))
    # The words of other scopes may be put together anew, as in a scope that is on another resource, too.
    is_plausible = set(text.lower().split(".")) <= _scope_words()
    slip = slip_of_name(text, known.values(), is_plausible=is_plausible)
    return Wrong(f'"{text}" is not known on {on}', near=slip) if slip else None


@cache
def _scopes_of(resource_id: str) -> Mapping[str, str]:
    """The names of the scopes that are known of a resource, by their lower case: of its table, and of the lists."""
    listed_here = listed_scopes(SCOPE_LISTS).get(resource_id, frozenset())
    found = {name: spellings().get(name, name) for name in sorted(listed_here)}
    return {**found, **{name: scope.value for name, scope in known_scopes(resource_id).items()}}


@cache
def _scope_words() -> frozenset[str]:
    """The words between the dots of all scopes that are known of any resource."""
    every = (*(scope.value.lower() for _, scope in known_scope_ids().values()), *spellings())
    return frozenset(word for name in every for word in name.split("."))


def scope_or_id(resource_id: str, text: str) -> Wrong | None:
    """A delegated permission by its name; an id is refused with the name that it stands for."""
    if not is_guid(text):
        return scope_of(resource_id, text)
    found = known_scope_ids().get(text.lower())
    if found is None:
        return Wrong(f'"{text}" is an id', "the name of a scope, as in Mail.Read")
    if found[0] != resource_id:
        return Wrong(
            f'"{text}" is {found[1].value} of {RESOURCE_NAMES.get(found[0], found[0])}',
            "a scope of this resource, by name",
        )
    return Wrong(f'"{text}" is an id', "its name", found[1].value)


def permission_id(resource_id: str, text: str, name: str = "") -> Wrong | None:
    """The id of a delegated permission, which must belong to the resource, and to the name if one is given."""
    found = known_scope_ids().get(text.lower())
    on = RESOURCE_NAMES.get(resource_id, resource_id)
    if found is None:
        if is_guid(text) and is_complete(resource_id):
            named = known_scopes(resource_id).get(name.lower())
            return Wrong(f'"{text}" is no permission of {on}', "the id of one", named.id if named else "")
        return None
    owner, scope = found
    if owner != resource_id:
        ours = known_scopes(resource_id).get(scope.value.lower())
        message = f'"{text}" is {scope.value} of {RESOURCE_NAMES.get(owner, owner)}, not of {on}'
        return Wrong(message, f"the id of a permission of {on}", ours.id if ours else "")
    if name and name.lower() != scope.value.lower():
        return Wrong(f'"{text}" is {scope.value}, not {name}', f"the id of {name}", _id_of(resource_id, name))
    return None


def _id_of(resource_id: str, name: str) -> str:
    found = known_scopes(resource_id).get(name.lower())
    return found.id if found else ""


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        port_is_sane = (parts.port or 0) >= 0
        is_web = parts.scheme in schemes and bool(parts.hostname)
        return is_web and port_is_sane and not re.search(r"[\s\\]", text)
    except ValueError:
        return False
