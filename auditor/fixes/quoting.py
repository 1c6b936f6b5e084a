"""Text from a tenant as data of a shell: quoted whole, and in ASCII wherever it can be.

Names of apps and policies are whatever somebody typed. JSON says any character in ASCII (RFC 8259, section 7), which
leaves nothing in a body that a shell, a terminal, an editor or Windows PowerShell's code page could take for more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any


def body_text(body: Mapping[str, Any]) -> str:
    """The body of a request as one line of ASCII."""
    return json.dumps(body, ensure_ascii=True, default=dict)


def posix(text: str) -> str:
    """`text` as one word of a POSIX shell: between single quotes nothing is special but the quote itself."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def powershell(text: str) -> str:
    """A PowerShell literal: between single quotes only the quote itself is special, in its curly forms too."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def visible(text: str) -> str:
    """`text` on one line of printable ASCII: for comments and messages, where nothing must end or reorder a line."""
    return "".join(c if c.isascii() and c.isprintable() else c.encode("unicode_escape").decode() for c in text)
