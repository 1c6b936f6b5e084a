"""Names, ids, hosts and addresses → their tokens, each learned so that texts can be rid of it."""

from __future__ import annotations

import re

from auditor.redact.common_words import MAIL_HOSTS, ORDINARY
from auditor.redact.hosts import address_key, host_key, registered
from auditor.redact.name_search import Dictionary
from auditor.redact.public_names import CODES, Public
from auditor.redact.text_folding import fold
from auditor.redact.tokens import Tokens, is_guid, is_token

PART = 2
"""The shortest part of a name that is looked for in texts, as a whole word."""
_PART_OF_HOST = 4
"""The same for what stands before somebody's own domain: ``hr`` and ``uk`` are nobody's name."""


class Naming:
    """Tokens for what has a name. While it is `learning`, what it replaces is learned for texts, too."""

    def __init__(self, tokens: Tokens, public: Public, dictionary: Dictionary) -> None:
        self._tokens = tokens
        self._public = public
        self._dictionary = dictionary
        self.learning = False
        self.originals: dict[str, str] = {}

    def scrub(self, text: str) -> str:
        """A text that stays, without what was learned."""
        return self._dictionary.scrubbed(text)

    def id(self, value: str) -> str:
        """A GUID for a GUID; what is public stays."""
        if not value or is_token(value) or value.lower() in CODES:
            return value
        if is_guid(value):
            return value if _dashed(value) in self._public.ids else self._made(value, self._tokens.guid(value))
        return self._word("id", value)

    def tenant(self, value: str) -> str:
        """The tenant's name; the words in it that are its own are not found in texts either."""
        token = self.named("Tenant", value)
        for word in re.findall(r"\w+", value):
            self._part("Tenant", word, PART)
        return token

    def domain(self, value: str) -> str:
        """A domain of the tenant, and the one that it is a part of; the first label is as good as its name."""
        own = registered(value)
        token = self._tokens.host("tenant", value)
        if self.learning:
            for host in (value, own):
                self._dictionary.learn_host(host)
            self._dictionary.learn_exact(host_key(value), token)
        self._part("Tenant", own.partition(".")[0], PART)
        self._part("Tenant", host_key(value).partition(".")[0], _PART_OF_HOST)
        return self._made(value, token)

    def host(self, value: str) -> str:
        """Any other host that has the tenant's name in it."""
        return self._made(value, self._dictionary.exact(host_key(value)) or self._tokens.host("host", value))

    def address(self, value: str) -> str:
        """A user principal name or mail address, of a member or a guest."""
        if not value or is_token(value):
            return value
        _, at, domain = value.rpartition("@")
        user = f"user-{self._tokens.short('user', address_key(value))}"
        if not at:
            return self._made(value, user)
        if "." in domain and domain.lower() not in MAIL_HOSTS and self.learning:
            self._dictionary.learn_host(domain)
        return self._made(value, f"{user}@{self._tokens.host('tenant', domain)}")

    def person(self, value: str) -> str:
        """A person's name; first and last name are not found in texts either."""
        token = self.named("User", value)
        words = re.findall(r"\w+", value)
        for word in words if len(words) > 1 else ():
            self._part("User", word, PART)
        return token

    def named(self, kind: str, value: str) -> str:
        """``User 3fa9…``: the same for every spelling of the name."""
        return self._made(value, f"{kind} {self._tokens.short(kind, fold(value) or value)}", learn=True)

    def _word(self, kind: str, value: str) -> str:
        """``policy-3fa9…``: the same in any letter case, because ids are compared so."""
        return self._made(value, f"{kind}-{self._tokens.short(kind, value.lower())}", learn=len(value) > PART)

    def _part(self, kind: str, word: str, least: int) -> None:
        if self.learning and len(word) >= least and word.lower() not in ORDINARY and not word.isdigit():
            self._dictionary.learn(word, f"{kind} {self._tokens.short(kind, fold(word) or word)}", alone=kind == "User")

    def _made(self, value: str, token: str, *, learn: bool = False) -> str:
        self.originals.setdefault(token, value)
        if self.learning and learn:
            self._dictionary.learn(value, token)
        elif self.learning:
            self._dictionary.learn_exact(value, token)
        return token


def _dashed(value: str) -> str:
    plain = value.lower().replace("-", "")
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
