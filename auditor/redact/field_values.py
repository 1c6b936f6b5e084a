"""Redact one value of a snapshot, depending on what its field holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from auditor.facts.ids import FALSE_SEPARATORS, MICROSOFTS_POLICIES
from auditor.model.access_resources import AppConsentRequest, SignIn
from auditor.model.field_types import FieldText
from auditor.model.resources import AppRoleAssignment, ServicePrincipal
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import Call, Snapshot
from auditor.redact.hosts import UrlRedactor, allows, host_of, is_microsofts
from auditor.redact.known_messages import is_known
from auditor.redact.name_search import KnownNames
from auditor.redact.name_tokens import NameTokens
from auditor.redact.public_names import PublicNames, is_microsofts_policy
from auditor.redact.text_folding import fold
from auditor.redact.tokens import REDACTED, TOKEN, TokenMaker, is_any_guid, is_token
from auditor.redact.word_lists import word_lists

_CODE = re.compile(r"c[1-9]\d?|AADSTS\d{5,7}")
"""Codes that Microsoft numbers: authentication contexts and errors of Entra ID."""
_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?")
_PLAIN_VALUE = re.compile(r"(?i)true|false|-?\d{1,9}")
_TOOL = re.compile(r"consent-auditor(/snapshot| sample| \d+(\.\d+)*((a|b|rc|\.post|\.dev)\d+)*)?")
_ACTION = re.compile(r"(?i)(microsoft\.[a-z.]+/[a-z/]*)(managepermissiongrantsfor[a-z]+)\.(.+)")
_PLAIN_ACTION = re.compile(r"(?i)microsoft\.[a-z0-9.]+(/[a-z0-9.$]+)+")
_PREFIX = re.compile(r"(?i)managepermissiongrantsfor[a-z]+")
_ENCODED = "%(?:20|0[ad]|2[bcf])"
_OF_A_NAME = rf"[^\s\"{re.escape(''.join(FALSE_SEPARATORS))}]"
_SCOPE = re.compile(rf"(?i){_ENCODED}|[a-z]+://{_OF_A_NAME}*/|((?:(?!{_ENCODED}){_OF_A_NAME})+)")
"""An encoded separator, or a name, in a list of scopes.

Grants are stored as they were sent, also with commas or encoded spaces, and then grant nothing: what separates the
names has to stay.
"""
_QUOTED = re.compile(r"(?s)(['\"‘“«])(.*?)(['\"’”»])")
_PATH_PIECE = re.compile(
    rf"{_TIME.pattern}|(?:{TOKEN.pattern})(?![\w.@-])|'(?P<quoted>(?:[^']|'')*)'|(?P<word>[^/?&=(),\s$:;']+)"
)
"""A time (which contains colons), a token (which may contain a blank), a quoted text, or a word."""
_WITH_ADDRESSES = (FieldText.FREE_TEXT, FieldText.ERROR_MESSAGE, FieldText.PUBLISHER_TEXT, FieldText.SETTING_DATA)
"""Texts of the tenant in which a mail address may be the only place where a name is."""
_DOTTED = re.compile(r"[A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)+")
_PARTS_OF_SNAPSHOT = frozenset(("odata", "nextlink", *Snapshot.__struct_fields__))
_LOGGED_GRANTS = re.compile(r"\[.*\] => \[.*\]; ?")
"""How the audit log writes the grants of an app before and after a consent."""
_LOGGED_WORD = re.compile(r"[^\s\[\],;:=>]+")
_GRANT_ID = re.compile(r"[\w-]{43}|[\w-]{64}")
"""The id of a grant, which Graph makes of two or three object ids."""
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_NUMBER = re.compile(r"\d{1,9}|v\d\.\d")


class FieldValues(NameTokens):
    """Redacts values by the kind of text that their fields hold."""

    def __init__(self, tokens: TokenMaker, public: PublicNames, known: KnownNames) -> None:
        super().__init__(tokens, public, known)
        words = word_lists()
        self._keywords, self._texts, self._tags = words.keywords, words.texts, words.tags
        self._path_words, self._codes, self._json_names = words.path_words, words.codes, words.json_names
        self._action_words, self._role_names = words.action_words, words.role_names
        self._fixed_words = words.codes | words.texts | words.tags
        self._texts_without_stop = frozenset(text.rstrip(".") for text in words.texts)
        self.urls = UrlRedactor(published=public.replies, scrub=self.scrub, host=self.host)
        self._by_kind: dict[FieldText, Callable[[str], str]] = {
            FieldText.KEYWORD: self.keyword,
            FieldText.ID: self.id,
            FieldText.TEMPLATE_ID: self.id,
            FieldText.PUBLISHER_ID: self.publisher,
            FieldText.POLICY_ID: self.policy,
            FieldText.ASSIGNED_POLICY: self.entry,
            FieldText.ROLE_ACTION: self.action,
            FieldText.PERMISSION_NAMES: self.scopes,
            FieldText.TENANT_NAME: self.tenant,
            FieldText.DOMAIN_NAME: self.domain,
            FieldText.USER_PRINCIPAL_NAME: self.address,
            FieldText.PERSON_NAME: self.person,
            FieldText.GROUP_NAME: lambda v: self.named("Group", v),
            FieldText.APP_NAME: self.app,
            FieldText.APP_URI: self.uri,
            FieldText.GRAPH_PATH: self.path,
            FieldText.NAME_OR_ID: self.part,
            FieldText.SECTION_PART: self.section,
            FieldText.TAG: lambda v: v if v.lower() in self._tags else self._word("tag", v),
            FieldText.SETTING_DATA: self.value,
            FieldText.TIMESTAMP: lambda v: v if _TIME.fullmatch(v) else REDACTED,
            FieldText.PROGRAM_NAME: lambda v: v if _TOOL.fullmatch(v) else REDACTED,
            FieldText.ERROR_MESSAGE: self.message,
            FieldText.FREE_TEXT: self.free_text,
        }

    def redacted(self, value: str, kind: FieldText, parent: msgspec.Struct | None, *, public: bool) -> str:
        """The redacted value of a field of `parent`; `public` says that the object is published by somebody else."""
        if not value or is_token(value):
            return value
        if self.learning and not public and kind in _WITH_ADDRESSES:
            self.addresses_in(value)
        match kind:
            case FieldText.APP_NAME if isinstance(parent, ServicePrincipal):
                return self._app_of(value, parent, public)
            case FieldText.APP_NAME if (
                isinstance(parent, (AppConsentRequest, SignIn)) and value == parent.appDisplayName
            ):
                # The ID of a judged app stays, so its name can: as its pack gives it, whatever the log calls the app.
                return self.app(self._public.name_of(parent.appId or "") or value)
            case FieldText.PRINCIPAL_NAME:
                return self._principal(value, parent)
            case FieldText.REPLY_URL:
                return self._reply(value, parent)
            case FieldText.APP_URI:
                return self.scrub(value) if public else self.uri(value)
            case FieldText.ROLE_NAME:
                return value if value.lower() in self._role_names else self.named("Role", value)
            case FieldText.POLICY_NAME:
                return self.scrub(value) if public else self.named("Policy", value)
            case FieldText.PUBLISHER_NAME:
                return self.scrub(value) if public else self.named("Publisher", value)
            case FieldText.PUBLISHER_TEXT:
                return self.scrub(value) if public else REDACTED
            case FieldText.GRAPH_PATH if isinstance(parent, Call):
                return self.path(unquote(value))
        return self._by_kind.get(kind, _removed)(value)

    def publisher(self, value: str) -> str:
        """The number of a publisher: that of a vendor's app stays."""
        if value.lower() in self._public.publishers or value.lower() in self._keywords:
            return value
        return self._word("publisher", value)

    def policy(self, value: str) -> str:
        """The id of a policy: one that Microsoft documents stays, and one of the tenant can contain any name.

        An unknown one with Microsoft's prefix keeps the prefix, because only Microsoft's have it.
        """
        if not value or is_microsofts_policy(value) or is_token(value):
            return value
        return self._word("microsoft" if value.lower().startswith(MICROSOFTS_POLICIES) else "policy", value)

    def entry(self, value: str) -> str:
        """An assigned policy: the kind of consent stays, the policy is replaced."""
        prefix, dot, policy = value.partition(".")
        if not dot:
            return self.policy(value)
        kept = prefix if not prefix or _PREFIX.fullmatch(prefix) or is_token(prefix) else self._word("other", prefix)
        return f"{kept}.{self.policy(policy)}"

    def action(self, value: str) -> str:
        """An action of a role: Microsoft's wording stays, the policy at its end is replaced."""
        if (match := _ACTION.fullmatch(value)) and self._is_documented_action(match[1] + match[2]):
            return f"{match[1]}{match[2]}.{self.policy(match[3])}"
        return value if _PLAIN_ACTION.fullmatch(value) and self._is_documented_action(value) else REDACTED

    def _is_documented_action(self, value: str) -> bool:
        """Whether the action consists of words of Microsoft only."""
        return all(word in self._action_words for word in re.split(r"[./$]+", value.lower()) if word)

    def scopes(self, value: str) -> str:
        """Names of permissions, separated as before, also by what Entra doesn't take as a separator.

        Those that no vendor published are replaced.
        """
        return _SCOPE.sub(lambda found: self._scope(found[1]) if found[1] else self._resource_of(found[0]), value)

    def _resource_of(self, text: str) -> str:
        """The address before a name: its form makes a grant void, so that stays; its host may name the tenant."""
        scheme, address, rest = text.partition("://")
        host = rest.rstrip("/")
        return f"{scheme}://{self._word('other', host)}/" if address and not is_token(host) else text

    def _scope(self, word: str) -> str:
        if word.lower() in self._public.scopes or is_token(word.removesuffix("%")):
            return word
        # An encoded character makes a grant void, so that one stays. What it encodes may be a part of a name.
        return self._word("scope", word) + ("%" if "%" in word else "")

    def app(self, value: str) -> str:
        """The name of an app: a published one stays."""
        return self.scrub(value) if value.lower() in self._public.app_names else self.named("App", value)

    def _app_of(self, value: str, principal: ServicePrincipal, public: bool) -> str:
        if public and value.lower() not in self._public.app_names and principal.appDisplayName:
            # Renamed in the tenant: the name that the vendor published takes its place.
            self.named("App", value)
            value = principal.appDisplayName
        return self.app(value)

    def _principal(self, value: str, parent: msgspec.Struct | None) -> str:
        kind = (parent.principalType or "user").lower() if isinstance(parent, AppRoleAssignment) else "user"
        if kind == "group":
            return self.named("Group", value)
        return self.person(value) if kind == "user" else self.app(value)

    def _reply(self, value: str, parent: msgspec.Struct | None) -> str:
        """A redirect URI: those of the judged apps stay, without names, because the connection depends on them."""
        principal = parent if isinstance(parent, ServicePrincipal) else None
        vendors = principal is not None and self._public.is_vendors(principal)
        in_question = principal is not None and self._public.is_asked(principal)
        # For a judged app without a known owner, only the tenant's own domains show which hosts are the tenant's.
        may_be_own = not vendors and not (in_question and principal and not principal.appOwnerOrganizationId)
        host = host_of(value)
        if (
            self.learning
            and host
            and may_be_own
            and not is_microsofts(host)
            and value.lower() not in self._public.replies
        ):
            self._known.learn_host(host)
        if in_question:
            asked = [one for one in self._public.addresses if allows(value, one)]
            if asked or vendors:
                return self.urls.redacted(asked[0] if asked and "*" in value else value)
        return self._made(value, f"https://{self._tokens.host('host', host)}/{self._tokens.short('reply', value)}")

    def uri(self, value: str) -> str:
        """A URI by which an app is addressed: its own id, or a name that the tenant chose."""
        if is_any_guid(value) or is_token(value):
            return self.id(value)
        if value.lower().startswith("api://") and is_any_guid(value[6:]):
            return f"api://{self.id(value[6:])}"
        return self._made(value, f"api://{self._tokens.short('uri', value)}", learn=True)

    def keyword(self, value: str) -> str:
        """A code: one that Microsoft documents stays, any other can be a name. Graph separates several by commas."""
        if "," in value:
            return ",".join(self.keyword(word.strip()) for word in value.split(","))
        if not value or is_token(value) or value.lower() in self._codes or _CODE.fullmatch(value):
            return value
        return self._made(value, f"code-{self._tokens.short('code', value.lower())}")

    def part(self, value: str) -> str:
        """A name or id, replaced as it is elsewhere in the snapshot."""
        if not value or is_token(value) or value.lower() in self._keywords:
            return value
        if is_any_guid(value):
            return self.id(value)
        if (known := self._known.exact(value)) is not None:
            return known
        if "@" in value:
            return self.address(value)
        return value if is_microsofts_policy(value) else f"id-{self._tokens.short('id', value)}"

    def compared(self, value: str) -> str:
        """A value that a rule compares with one of the snapshot, replaced as it is there."""
        if not value or is_token(value) or value.lower() in self._fixed_words or is_microsofts_policy(value):
            return value
        if is_any_guid(value):
            return self.id(value)
        if (known := self._known.exact(value)) is not None:
            return known
        prefix, dot, _ = value.partition(".")
        if dot and _PREFIX.fullmatch(prefix):
            return self.entry(value)
        return self.address(value) if _ADDRESS.fullmatch(value) else self.scrub(value)

    def subject(self, value: str) -> str:
        """The subject of a waiver, replaced as it is in findings, or by a separate token."""
        if is_any_guid(value):
            return self.id(value)
        if is_token(value) or value.lower() in self._public.app_names or is_microsofts_policy(value):
            return self.scrub(value)
        return self._known.exact(value) or self._made(
            value, f"Subject {self._tokens.short('subject', fold(value) or value)}"
        )

    def section(self, key: str) -> str:
        """A section's name, or ``section/part``."""
        section, slash, part = key.partition("/")
        return f"{section if section in SECTIONS else self.keyword(section)}{slash}{self.part(part)}"

    def path(self, value: str) -> str:
        """The path of a query to Graph: its keywords stay, names and ids are replaced."""

        def piece(match: re.Match[str]) -> str:
            quoted, word = match["quoted"], match["word"]
            if quoted is not None:
                return f"'{quoted if quoted.lower() in self._texts else self.part(quoted)}'"
            if word is None or word.lower() in self._path_words or _NUMBER.fullmatch(word) or word in (".", ".."):
                return match[0]
            return self.part(word)

        return _PATH_PIECE.sub(piece, value)

    def value(self, value: str) -> str:
        """The value of a setting: booleans, numbers and ids stay; anything else is removed."""
        if _PLAIN_VALUE.fullmatch(value) or value.lower() in self._keywords:
            return value
        if all(is_any_guid(one.strip()) for one in value.split(",")):
            return ",".join(self.id(one.strip()) for one in value.split(","))
        return REDACTED

    def message(self, value: str) -> str:
        """An error message: removed unless its wording is known. Quoted texts are replaced except permission names."""

        def quoted(match: re.Match[str]) -> str:
            inside = match[2]
            if inside.lower() in self._public.scopes or inside.lower() in self._path_words or not inside:
                return match[0]
            return f"{match[1]}{self.part(inside) if is_any_guid(inside) or '@' in inside else REDACTED}{match[3]}"

        made = self.scrub(_QUOTED.sub(quoted, value))
        return made if is_known(made) and all(map(self._is_public_name, _DOTTED.findall(made))) else REDACTED

    def _is_public_name(self, name: str) -> bool:
        """Whether a name with dots in a message is a permission, a path in Graph's data, or a host of Microsoft."""
        parts = name.lower().split(".")
        public = name.lower() in self._public.scopes or is_microsofts(name) or is_token(name)
        return public or all(part in self._path_words or part in _PARTS_OF_SNAPSHOT for part in parts)

    def free_text(self, value: str) -> str:
        """Free text: one of Microsoft's texts stays, any other is removed."""
        return value if value.lower().rstrip(".") in self._texts_without_stop else REDACTED

    def free(self, value: Any, key: str = "") -> Any:
        """JSON of any form: names of properties, numbers, booleans and times stay."""
        if isinstance(value, Mapping):
            return {self._key(name): self.free(inner, name) for name, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.free(inner, key) for inner in value]
        return self._free_text(value) if isinstance(value, str) else value

    def _free_text(self, value: str) -> str:
        low = value.lower()
        if not value or is_token(value) or low in self._public.scopes or low in self._codes or low in self._texts:
            return value
        if _PLAIN_VALUE.fullmatch(value) or _TIME.fullmatch(value):
            return value
        if is_any_guid(value):
            return self.id(value)
        if "@" in value and " " not in value:
            return self.address(value)
        if (made := self._logged(value)) is not None:
            return made
        self.addresses_in(value)
        return self._known.exact(value) or REDACTED

    def _logged(self, value: str) -> str | None:
        """A value in the audit log: JSON in a text, a list of permissions, or grants; none if it's something else.

        It's none, too, if it has a word that isn't Microsoft's, a permission or an id.
        """
        if value.startswith('"') and value.endswith('"'):
            made = self._free_text(value[1:-1]) if "\\" not in value else REDACTED
            return None if made == REDACTED else f'"{made}"'
        words = value.split()
        if words and all(word.lower() in self._public.scopes for word in words):
            return value
        if not _LOGGED_GRANTS.fullmatch(value):
            return None
        made = _LOGGED_WORD.sub(lambda found: self._logged_word(found[0]), value)
        return None if REDACTED in made else made

    def _logged_word(self, word: str) -> str:
        if is_token(word) or word.lower() in self._public.scopes or word.lower() in self._texts:
            return word
        return self.id(word) if is_any_guid(word) or _GRANT_ID.fullmatch(word) else REDACTED

    def _key(self, name: str) -> str:
        if is_token(name) or name.lower() in self._json_names:
            return name
        return self._made(name, f"code-{self._tokens.short('key', name)}")


def _removed(_: str) -> str:
    return REDACTED
