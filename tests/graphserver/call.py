"""One request to Graph as it was asked, alone or as an item of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

VERSIONS = ("v1.0", "beta")


@dataclass(frozen=True)
class Call:
    """A method and an address, decoded; `url` is the address as the caller spelt it."""

    method: str
    version: str
    path: str
    query: Mapping[str, str]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    in_batch: bool = False

    @property
    def base(self) -> str:
        """Scheme, host and port that the caller used, so that links lead back the same way."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def text(self) -> str:
        """The whole address below the host, decoded: what a fault's text is looked for in."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"/{self.version}{self.path}" + (f"?{query}" if query else "")

    def link(self, skiptoken: str) -> str:
        """An absolute address of another page of the same question."""
        kept = {name: value for name, value in self.query.items() if name != "$skiptoken"}
        query = urlencode({**kept, "$skiptoken": skiptoken}, safe="$")
        return f"{self.base}/{self.version}{urlsplit(self.url).path.split(self.version, 1)[1]}?{query}"


def read_call(method: str, url: str, headers: Mapping[str, str], *, in_batch: bool = False) -> Call:
    """The call that an absolute `url` makes; its version is the first segment, known or not."""
    parts = urlsplit(url)
    _, version, *rest = unquote(parts.path).split("/", 2)
    path = "/" + "/".join(segment for segment in "".join(rest).split("/") if segment)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Call(method.upper(), version, path, query, url, headers, in_batch)
