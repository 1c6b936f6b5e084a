"""One read of Microsoft Graph: its address, what its answer becomes, and what to send instead if Graph refuses it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import msgspec
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware import ParametersNameDecodingHandler

from auditor.graph.graph_errors import REPORT_IT, GraphError, LibraryFailed, class_name, foreign_code
from auditor.model.sections import permissions_to_read

BLUEPRINT_OF_AGENT = "agentIdentityBlueprintId"
"""A property of agent identities only (Graph v1.0, ``agentIdentity``).

Graph takes the properties of derived types in the ``$select`` of a list of their base type; that it does so here is
likely, because scripts use it and the reference doesn't say so.
"""
OWN_APPLICATION = "applications"
"""The section, in the list of reads only, of the audit's own app registration: a snapshot has no such section."""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One read of Graph: its address, and the part of a section that its answer becomes.

    `url` is relative to the version. `absent_ok`: a 404 is an answer if the app of `part` has no service principal.
    `optional` are selected properties to leave out, and `fallback` the address to use, where Graph answers 400.
    `more` are addresses of the rest of the list, where one filter can't name all alternatives, and `smaller` the
    addresses to use in place of `url` and `more` where Graph answers 400 to one of them.
    `aspect` distinguishes reads that make up one part.
    `whole`: a directory-wide list, read page by page. `covers` is what the section is then complete for; empty means
    that the whole section is complete.
    """

    section: str
    url: str
    part: str = ""
    version: str = "v1.0"
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    is_list: bool = False
    absent_ok: bool = False
    whole: bool = False
    optional: tuple[str, ...] = ()
    fallback: str = ""
    more: tuple[str, ...] = ()
    smaller: tuple[str, ...] = ()
    aspect: str = ""
    covers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The key of this read in `unread` if it fails."""
        return f"{self.section}/{self.part}" if self.part else self.section

    @property
    def permissions(self) -> tuple[str, ...]:
        """The permissions that allow the read, any one of them."""
        if self.section == OWN_APPLICATION:
            return ()
        if self.aspect == "memberOf":
            # A user's groups and roles need more than the user: User.Read.All is not enough for an app.
            return ("Directory.Read.All",)
        return permissions_to_read(self.section)

    def after_refusal(self, message: str) -> Read | None:
        """The read to send after Graph answered 400 with this message; ``None`` where nothing can be left out.

        Leaves out the optional properties that the message names, or all of them if it names none.
        """
        if self.smaller:
            return msgspec.structs.replace(self, url=self.smaller[0], more=self.smaller[1:], smaller=())
        if self.optional:
            named = tuple(name for name in self.optional if f"'{name}'" in message)
            # The property of a derived type is the likeliest to be refused, and the only one that few tenants need.
            named = named or tuple(name for name in self.optional if name == BLUEPRINT_OF_AGENT) or self.optional
            left = tuple(name for name in self.optional if name not in named)
            return msgspec.structs.replace(self, url=_without_selected(self.url, named), optional=left)
        return msgspec.structs.replace(self, url=self.fallback, fallback="") if self.fallback else None


def _without_selected(url: str, names: Sequence[str]) -> str:
    """The address without these properties in its ``$select``."""
    head, mark, rest = url.partition("$select=")
    selected, more, options = rest.partition("&")
    comma = "%2C" if "%2C" in selected else ","
    return head + mark + comma.join(name for name in selected.split(comma) if name not in names) + more + options


_NONE: Mapping[str, str] = MappingProxyType({})


class RequestBuilder(Protocol):
    """A request builder of the SDK."""

    def to_get_request_information(self) -> RequestInformation:
        """The request that the builder makes."""


def address_of(builder: RequestBuilder, **options: str | Sequence[str]) -> str:
    """The address of a builder's request below the version. `options` are query options without the dollar sign."""
    with foreign_code(_explain):
        return _relative(builder.to_get_request_information(), options)


def address_without_builder(path: str, options: Mapping[str, str | Sequence[str]] = _NONE, **parameters: str) -> str:
    """The address of a path for which the SDK has no builder. `options` are as those of `address_of`."""
    query = f"{{?{','.join(f'%24{name}' for name in options)}}}" if options else ""
    with foreign_code(_explain):
        return _relative(RequestInformation(Method.GET, f"{{+baseurl}}{path}{query}", dict(parameters)), options)


def _explain(error: Exception) -> GraphError:
    return LibraryFailed(f"the Graph SDK could not make a request ({class_name(error)})", advice=REPORT_IT)


def _relative(info: RequestInformation, options: Mapping[str, str | Sequence[str]]) -> str:
    for name, value in options.items():
        info.query_parameters[f"%24{name}"] = value if isinstance(value, str) else list(value)
    path, mark, query = info.url.partition("?")
    # The SDK's builders encode the dollar signs, and one of its middlewares decodes them before sending.
    return path + mark + ParametersNameDecodingHandler().decode_uri_encoded_string(query, ["$"])


def quoted(text: str) -> str:
    """`text` as a literal of a filter."""
    return "'" + text.replace("'", "''") + "'"
