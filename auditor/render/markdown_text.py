"""Text in Markdown that no reader takes for markup, a mention, a link or a reference: names can contain anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.render.text_layout import safe

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~#$&!])")
_STARTS = re.compile(r"^(\s*(?:\d+(?=[.)](?:\s|$)))?)([-+=]|(?<=\d)[.)])")
"""What starts a list, a rule or a heading at the start of a line."""
_ADDRESS = re.compile(r"\b(https?)://|\bwww\.", re.IGNORECASE)
_ACTS = re.compile(r"@|://|\bwww\.|mailto:|xmpp:|[#!$%&~]\w|\bGH-\d|:\w+:|\b[0-9a-f]{7,40}\b", re.IGNORECASE)
"""What GitHub, GitLab or Azure DevOps read as an address, a mention, a reference, a commit or an emoji."""
_EDGES = re.compile(r"""^([("'\[]*)(.*?)([)\]"'.,;:!?]*)$""", re.DOTALL)


def escaped(text: str) -> str:
    """The text without any effect as markup: no emphasis, link, HTML, list or mention."""
    text = _SPECIAL.sub(r"\\\1", text)
    text = _ADDRESS.sub(lambda match: match[0].replace(":", "&#58;").replace("www.", "www&#46;"), text)
    return _STARTS.sub(r"\1\\\2", text.replace("@", "&#64;"))


def code_span(name: str) -> str:
    """A code span; its fences are longer than any run of backticks in the name."""
    fence = "`" * (longest_run(name) + 1)
    edge = " " if name.startswith("`") or name.endswith("`") else ""
    return f"{fence}{edge}{name}{edge}{fence}"


def longest_run(text: str) -> int:
    """The length of the longest run of backticks in the text."""
    return max((len(run) for run in re.findall("`+", text)), default=0)


def harmless(text: str) -> str:
    """Untrusted text on one line, in running text or in a cell.

    Ticket systems look for addresses, mentions and references after they have parsed the Markdown, when escapes no
    longer help, but they don't look in code. So a word that they could read as one is shown as code, and can be copied
    unchanged.
    """
    return _STARTS.sub(r"\1\\\2", " ".join(_word(word) for word in safe(text).split()))


def _word(word: str) -> str:
    if not _ACTS.search(word):
        return _SPECIAL.sub(r"\\\1", word)
    before, inner, after = _EDGES.match(word).groups()  # type: ignore[union-attr]  # the pattern fits any text
    return "".join((_SPECIAL.sub(r"\\\1", before), *_codes(inner), _SPECIAL.sub(r"\\\1", after)))


def _codes(inner: str) -> Iterator[str]:
    """The word as code; a bar, which would end a table's cell even in code, is between two pieces of code."""
    for number, piece in enumerate(inner.split("|")):
        if number:
            yield r"\|"
        if piece:
            yield code_span(piece)


def link(address: str) -> str:
    """An address to click on, shown in full. Anything but a plain https address is shown as code.

    So is one with a placeholder in braces, which must be filled in first.
    """
    address = safe(address)
    if not address.startswith("https://") or set(address) & set(" \\`{}"):
        return "".join(_codes(address))
    return f"<{address.replace('<', '%3C').replace('>', '%3E').replace('|', '%7C')}>"


def fenced(text: str, language: str = "") -> str:
    """Lines to copy, in a block that their own backticks can't end."""
    lines = [safe(line.rstrip()) for line in text.strip("\r\n").split("\n")]
    fence = "`" * max(3, longest_run(text) + 1)
    return "\n".join((f"{fence}{language}", *lines, fence))
