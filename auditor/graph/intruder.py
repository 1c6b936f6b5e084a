"""Who answers in Microsoft's place: a proxy, a portal, a box that inspects TLS. What they say, they say in HTML."""

from __future__ import annotations

import re

NOT_MICROSOFT = (
    "Something between this machine and Microsoft answers instead: a proxy, a portal, a TLS inspector? "
    "Name the proxy to use in HTTPS_PROXY, or have its owner let these hosts through."
)
"""What to do about it."""


def titled(page: str) -> str:
    """The title of a web page as the end of a sentence about it; nothing for a page without one."""
    title = re.search(r"<title[^>]*>(.{1,300}?)</title>", page[:20_000], re.IGNORECASE | re.DOTALL)
    if title is None:
        return ""
    words = " ".join(title[1].split())
    return f" titled “{words[:60]}”"
