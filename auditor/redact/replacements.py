"""One value of a snapshot → what stands in a redacted one, by what its field holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from auditor.model.resources import AppRoleAssignment, ServicePrincipal
from auditor.model.snapshot import Call
from auditor.redact.fields import Holds
from auditor.redact.hosts import Addresses, allows, host_of, is_microsofts
from auditor.redact.known_messages import is_known
from auditor.redact.name_search import Dictionary
from auditor.redact.naming import Naming
from auditor.redact.public_names import CODES, TAGS, TEXTS, Public, is_microsofts_policy, path_words
from auditor.redact.text_folding import fold
from auditor.redact.tokens import REDACTED, Tokens, is_guid, is_token

_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?")
_PLAIN_VALUE = re.compile(r"(?i)true|false|-?\d{1,9}")
_TOOL = re.compile(r"consent-auditor(/\w+| sample| \d+(\.\w+)*)?")
_ACTION = re.compile(r"(?i)(microsoft\.[a-z.]+/[a-z/]*)(managepermissiongrantsfor[a-z]+)\.(.+)")
_PLAIN_ACTION = re.compile(r"(?i)microsoft\.[a-z0-9.]+(/[a-z0-9.$]+)+")
_PREFIX = re.compile(r"(?i)managepermissiongrantsfor[a-z]+")
_QUOTED = re.compile(r"(?s)(['\"‘“«])(.*?)(['\"’”»])")
_PATH_PIECE = re.compile(rf"{_TIME.pattern}|'(?P<quoted>(?:[^']|'')*)'|(?P<word>[^/?&=(),\s$:;']+)")
"""A moment (which holds colons), what stands in quotes, or a word."""
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_NUMBER = re.compile(r"\d{1,9}|v\d\.\d")


class Replacing(Naming):
    """Tokens for values, by what their fields hold."""

    def __init__(self, tokens: Tokens, public: Public, dictionary: Dictionary) -> None:
        super().__init__(tokens, public, dictionary)
        self.addresses = Addresses(published=public.replies, scrub=self.scrub, host=self.host)
        self._by_field: dict[Holds, Callable[[str], str]] = {
            Holds.CODE: self.code,
            Holds.ID: self.id,
            Holds.TEMPLATE: lambda v: v if is_guid(v) else self.id(v),
            Holds.PUBLISHER: self.publisher,
            Holds.POLICY: self.policy,
            Holds.ENTRY: self.entry,
            Holds.ACTION: self.action,
            Holds.SCOPES: self.scopes,
            Holds.TENANT: self.tenant,
            Holds.DOMAIN: self.domain,
            Holds.ADDRESS: self.address,
            Holds.PERSON: self.person,
            Holds.GROUP: lambda v: self.named("Group", v),
            Holds.APP: self.app,
            Holds.URI: self.uri,
            Holds.PATH: self.path,
            Holds.PART: self.part,
            Holds.TAG: lambda v: v if v.lower() in TAGS else self._word("tag", v),
            Holds.VALUE: self.value,
            Holds.TIME: lambda v: v if _TIME.fullmatch(v) else REDACTED,
            Holds.TOOL: lambda v: v if _TOOL.fullmatch(v) else REDACTED,
            Holds.MESSAGE: self.message,
            Holds.TEXT: lambda v: v if v.lower().rstrip(".") in {t.rstrip(".") for t in TEXTS} else REDACTED,
        }

    def done(self, value: str, holds: Holds, parent: msgspec.Struct | None, *, public: bool) -> str:
        """What stands for a value of a field; `public` says that the object is a vendor's or Microsoft's."""
        if not value or is_token(value):
            return value
        match holds:
            case Holds.APP if isinstance(parent, ServicePrincipal):
                return self._app_of(value, parent, public)
            case Holds.PRINCIPAL:
                return self._principal(value, parent)
            case Holds.REPLY:
                return self._reply(value, parent)
            case Holds.URI:
                return self.scrub(value) if public else self.uri(value)
            case Holds.ROLE:
                return value if public else self.named("Role", value)
            case Holds.POLICY_NAME:
                return self.scrub(value) if public else self.named("Policy", value)
            case Holds.VENDOR_NAME:
                return self.scrub(value) if public else self.named("Publisher", value)
            case Holds.VENDOR_TEXT:
                return self.scrub(value) if public else REDACTED
            case Holds.PATH if isinstance(parent, Call):
                return self.path(unquote(value))
        return self._by_field.get(holds, _gone)(value)

    def publisher(self, value: str) -> str:
        """The number of a publisher that a vendor's app has stays."""
        if value.lower() in self._public.publishers or value.lower() in CODES:
            return value
        return self._word("publisher", value)

    def policy(self, value: str) -> str:
        """Microsoft's policies keep their ids; a tenant's own may hold any name."""
        return value if not value or is_microsofts_policy(value) or is_token(value) else self._word("policy", value)

    def entry(self, value: str) -> str:
        """The kind of consent stays, the policy is replaced."""
        prefix, dot, policy = value.partition(".")
        if not dot:
            return self.policy(value)
        kept = prefix if not prefix or _PREFIX.fullmatch(prefix) or is_token(prefix) else self._word("other", prefix)
        return f"{kept}.{self.policy(policy)}"

    def action(self, value: str) -> str:
        """What a role allows is Microsoft's wording, but for the policy at its end."""
        if match := _ACTION.fullmatch(value):
            return f"{match[1]}{match[2]}.{self.policy(match[3])}"
        return value if _PLAIN_ACTION.fullmatch(value) else REDACTED

    def scopes(self, value: str) -> str:
        """Names of permissions with what stands between them; those that no vendor published are replaced."""
        return re.sub(r"\S+", lambda word: self._scope(word[0]), value)

    def _scope(self, word: str) -> str:
        return word if word.lower() in self._public.scopes or is_token(word) else self._word("scope", word)

    def app(self, value: str) -> str:
        """The name of an app: a vendor's stays."""
        return self.scrub(value) if value.lower() in self._public.app_names else self.named("App", value)

    def _app_of(self, value: str, principal: ServicePrincipal, public: bool) -> str:
        if public and value.lower() not in self._public.app_names and principal.appDisplayName:
            # Renamed in the tenant: the vendor's own name says as much, and no more.
            self.named("App", value)
            value = principal.appDisplayName
        return self.app(value)

    def _principal(self, value: str, parent: msgspec.Struct | None) -> str:
        kind = (parent.principalType or "user").lower() if isinstance(parent, AppRoleAssignment) else "user"
        if kind == "group":
            return self.named("Group", value)
        return self.person(value) if kind == "user" else self.app(value)

    def _reply(self, value: str, parent: msgspec.Struct | None) -> str:
        """The addresses of the apps in question stay as far as no name is in them: a connection depends on them."""
        principal = parent if isinstance(parent, ServicePrincipal) else None
        vendors = principal is not None and self._public.is_vendors(principal)
        in_question = principal is not None and self._public.is_asked(principal)
        # Of an app in question whose owner is not known, the tenant's own domains tell its hosts apart.
        may_be_own = not vendors and not (in_question and principal and not principal.appOwnerOrganizationId)
        host = host_of(value)
        if (
            self.learning
            and host
            and may_be_own
            and not is_microsofts(host)
            and value.lower() not in self._public.replies
        ):
            self._dictionary.learn_host(host)
        if in_question:
            asked = [one for one in self._public.addresses if allows(value, one)]
            if asked or vendors:
                return self.addresses.told(asked[0] if asked and "*" in value else value)
        return self._made(value, f"https://{self._tokens.host('host', host)}/{self._tokens.short('reply', value)}")

    def uri(self, value: str) -> str:
        """What an app is addressed by: its own id, or a name that the tenant chose."""
        if is_guid(value) or is_token(value):
            return self.id(value)
        if value.lower().startswith("api://") and is_guid(value[6:]):
            return f"api://{self.id(value[6:])}"
        return self._made(value, f"api://{self._tokens.short('uri', value)}", learn=True)

    def code(self, value: str) -> str:
        """A word of Graph stays; what is none, or is a name of the tenant's, does not."""
        if value.lower() in CODES or value.lower() in path_words():
            return value
        if _CODE.fullmatch(value) and self.scrub(value) == value:
            return value
        return f"code-{self._tokens.short('code', value)}"

    def part(self, value: str) -> str:
        """Something named by its id or name, the way that it goes by in the snapshot."""
        if not value or is_token(value) or value.lower() in CODES:
            return value
        if is_guid(value):
            return self.id(value)
        if (known := self._dictionary.exact(value)) is not None:
            return known
        if "@" in value:
            return self.address(value)
        return value if is_microsofts_policy(value) else f"id-{self._tokens.short('id', value)}"

    def compared(self, value: str) -> str:
        """A value that is compared with one of the snapshot, the way that it goes by there."""
        if not value or is_token(value) or value.lower() in CODES | TEXTS | TAGS or is_microsofts_policy(value):
            return value
        if is_guid(value):
            return self.id(value)
        if (known := self._dictionary.exact(value)) is not None:
            return known
        prefix, dot, _ = value.partition(".")
        if dot and _PREFIX.fullmatch(prefix):
            return self.entry(value)
        return self.address(value) if _ADDRESS.fullmatch(value) else self.scrub(value)

    def subject(self, value: str) -> str:
        """What a waiver names: as findings name it, and under a token of its own where none can."""
        if is_guid(value):
            return self.id(value)
        if is_token(value) or value.lower() in self._public.app_names or is_microsofts_policy(value):
            return self.scrub(value)
        return self._dictionary.exact(value) or self._made(
            value, f"Subject {self._tokens.short('subject', fold(value) or value)}"
        )

    def section(self, key: str) -> str:
        """``section/part``."""
        section, slash, part = key.partition("/")
        return f"{section}{slash}{self.part(part)}"

    def path(self, value: str) -> str:
        """A query to Graph: its words stay, what it asks about does not."""

        def piece(match: re.Match[str]) -> str:
            quoted, word = match["quoted"], match["word"]
            if quoted is not None:
                return f"'{quoted if quoted.lower() in TEXTS else self.part(quoted)}'"
            if word is None or word.lower() in path_words() or _NUMBER.fullmatch(word) or word in (".", ".."):
                return match[0]
            return self.part(word)

        return _PATH_PIECE.sub(piece, value)

    def value(self, value: str) -> str:
        """The value of a setting: switches, numbers and ids; a list of words of the tenant's own does not stay."""
        if _PLAIN_VALUE.fullmatch(value) or value.lower() in CODES:
            return value
        if all(is_guid(one.strip()) for one in value.split(",")):
            return ",".join(self.id(one.strip()) for one in value.split(","))
        return REDACTED

    def message(self, value: str) -> str:
        """What Graph said, if it said it in known words: what it quotes is somebody's, or a name of a permission."""

        def quoted(match: re.Match[str]) -> str:
            inside = match[2]
            if inside.lower() in self._public.scopes or inside.lower() in path_words() or not inside:
                return match[0]
            return f"{match[1]}{self.part(inside) if is_guid(inside) or '@' in inside else REDACTED}{match[3]}"

        made = self.scrub(_QUOTED.sub(quoted, value))
        return made if is_known(made) else REDACTED

    def free(self, value: Any, key: str = "") -> Any:
        """JSON of any shape: names of properties, numbers, switches and times stay."""
        if isinstance(value, Mapping):
            return {self._key(name): self.free(inner, name) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.free(inner, key) for inner in value]
        return self._free_text(value) if isinstance(value, str) else value

    def _free_text(self, value: str) -> str:
        if not value or is_token(value) or value.lower() in self._public.scopes | CODES | TEXTS:
            return value
        if _PLAIN_VALUE.fullmatch(value) or _TIME.fullmatch(value):
            return value
        if is_guid(value):
            return self.id(value)
        if "@" in value and " " not in value:
            return self.address(value)
        return self._dictionary.exact(value) or REDACTED

    def _key(self, name: str) -> str:
        stays = is_token(name) or (_CODE.fullmatch(name) and self.scrub(name) == name)
        return name if stays else f"code-{self._tokens.short('key', name)}"


def _gone(_: str) -> str:
    return REDACTED
