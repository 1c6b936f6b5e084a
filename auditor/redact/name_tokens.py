"""Replace names, ids, hosts and addresses by tokens, and remember each so that it is found in texts, too."""

from __future__ import annotations

import re
import unicodedata

from auditor.redact.hosts import address_key, host_key, registered
from auditor.redact.name_search import KnownNames
from auditor.redact.public_names import PublicNames
from auditor.redact.tokens import TokenMaker, is_any_guid, is_token
from auditor.redact.word_lists import word_lists

_PART = 2
"""The shortest part of a name that is searched for in texts, as a whole word."""
_PART_OF_HOST = 4
"""The same for the label before a registered domain: ``hr`` and ``uk`` name nobody."""
_NUMBER = 5
"""The shortest number before the ``@`` of an address that is searched for in texts, as a whole word."""
_GUEST = re.compile(r"(?i)(?P<local>.+)_(?P<domain>[^_@]+\.[^_@]+)#EXT#")
"""What stands before the ``@`` of a guest's user principal name: the address at home, with ``_`` for its ``@``."""


class NameTokens:
    """Replaces names by tokens. While it is `learning`, it also remembers them for the search in texts."""

    def __init__(self, tokens: TokenMaker, public: PublicNames, known: KnownNames) -> None:
        self._tokens = tokens
        self._public = public
        self._known = known
        self.learning = False
        self.originals: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        """Ids and what replaces them, because each one is in many rows. The first pass, which learns, fills it."""

    def scrub(self, text: str) -> str:
        """The text with tokens for everything learned."""
        return self._known.scrubbed(text)

    def id(self, value: str) -> str:
        """A token of the form of the id; public ids stay."""
        if (known := self._ids.get(value)) is not None:
            return known
        if not value or is_token(value) or value.lower() in word_lists().keywords:
            made = value
        elif is_any_guid(value):
            made = value if _dashed(value) in self._public.ids else self._made(value, self._tokens.guid(value))
        else:
            made = self._word("id", value)
        self._ids[value] = made
        return made

    def tenant(self, value: str) -> str:
        """A token for the tenant's name; its words are replaced in texts, too, except common ones."""
        token = self.named("Tenant", value)
        for word in _words(value):
            self._part("Tenant", word, _PART)
        return token

    def domain(self, value: str) -> str:
        """A token for a domain of the tenant. The first label counts as the tenant's name."""
        own = registered(value)
        token = self._tokens.host("tenant", value)
        if self.learning:
            for host in (value, own):
                self._known.learn_host(host)
            self._known.learn_exact(host_key(value), token)
        self._part("Tenant", own.partition(".")[0], _PART)
        self._part("Tenant", host_key(value).partition(".")[0], _PART_OF_HOST)
        return self._made(value, token)

    def host(self, value: str) -> str:
        """A token for any other host that contains the tenant's name."""
        return self._made(value, self._known.exact(host_key(value)) or self._tokens.host("host", value))

    def address(self, value: str) -> str:
        """A token for a user principal name or mail address, of a member or a guest."""
        if not value or is_token(value):
            return value
        local, at, domain = value.rpartition("@")
        user = f"user-{self._tokens.short('user', address_key(value))}"
        if self.learning:
            self._learn_local_part(local or value, user)
        if not at:
            return self._made(value, user)
        if "." in domain and domain.lower() not in word_lists().mail_hosts and self.learning:
            self._known.learn_host(domain)
        return self._made(value, f"{user}@{self._tokens.host('tenant', domain)}")

    def person(self, value: str) -> str:
        """A token for a person's name; first and last name are replaced in texts, too."""
        token = self.named("User", value)
        pieces, words = unicodedata.normalize("NFC", value).split(), _words(value)
        if self.learning and len(words) > 1:
            # Also O'Brien and Jean-Luc in one piece, and a last name of several words: vanderberg.
            together = {*pieces, "".join(pieces[1:])}
            for word in (*words, *sorted(together - {*words, value})):
                self._part("User", word, _PART)
        return token

    def addresses_in(self, text: str) -> None:
        """While learning, learn the local part of each mail address in a text."""
        for found in self._known.addresses(text) if self.learning else ():
            self._learn_local_part(found.rpartition("@")[0], f"user-{self._tokens.short('user', address_key(found))}")

    def _learn_local_part(self, local: str, token: str) -> None:
        """Learn the part of an address before the ``@``, and its words if they look like those of a person's name."""
        if guest := _GUEST.fullmatch(local):
            local = guest["local"]
            if guest["domain"].lower() not in word_lists().mail_hosts and not self._public.is_vendors_host(
                guest["domain"]
            ):
                self._known.learn_host(guest["domain"])
        if local.isdigit() and len(local) < _NUMBER:
            return
        self._known.learn(local, token, alone=local.isdigit())
        words = re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", local))
        if len(words) > 1 and not any(word.lower() in word_lists().common_words for word in words):
            for word in words:
                self._part("User", word, _PART)

    def named(self, kind: str, value: str) -> str:
        """A token such as ``User 3fa9…``, the same for every spelling of the name."""
        return self._made(value, self._tokens.name(kind, value), learn=True)

    def _word(self, kind: str, value: str) -> str:
        """A token such as ``policy-3fa9…``, the same in any letter case, as ids are compared."""
        return self._made(value, f"{kind}-{self._tokens.short(kind, value.lower())}", learn=len(value) > _PART)

    def _part(self, kind: str, word: str, least: int) -> None:
        if (
            self.learning
            and len(word) >= least
            and word.lower() not in word_lists().common_words
            and not word.isdigit()
        ):
            self._known.learn(word, self._tokens.name(kind, word), alone=kind == "User")

    def _made(self, value: str, token: str, *, learn: bool = False) -> str:
        self.originals.setdefault(token, value)
        if self.learning and learn:
            self._known.learn(value, token)
        elif self.learning:
            self._known.learn_exact(value, token)
        return token


def _words(name: str) -> list[str]:
    """The words of a name; a letter and its accent are one character."""
    return re.findall(r"\w+", unicodedata.normalize("NFC", name))


def _dashed(value: str) -> str:
    plain = value.lower().replace("-", "")
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
