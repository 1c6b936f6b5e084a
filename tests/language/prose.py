"""The prose of a file: what a reader reads, without code, quotations and generated parts.

Each file type has a function that marks which characters are prose. Everything else becomes a barrier that no
phrase can match across, so a position in the prose is a position in the file.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import yaml

BARRIER = "\0"

_GENERATED = re.compile(r"<!-- generated: ([\w-]+) -->.*?<!-- end of \1 -->", re.DOTALL)
_FENCE = re.compile(r"^(?P<fence> *```+)[^\n]*\n.*?^(?P=fence)$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?<=\n\n)(?: {4}[^\n]*\n)+")
_BLOCK_QUOTE = re.compile(r"^ *>[^\n]*", re.MULTILINE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK_TARGET = re.compile(r"\]\([^)\n]*\)")
_CODE_SPAN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_QUOTATION = re.compile(r'"[^"]{1,300}"|“[^”]{1,300}”')
_CODE_ELEMENT = re.compile(r"<(code|pre|kbd|svg)\b.*?</\1>", re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_JINJA_TEXT = re.compile(r'"[^"\n]*"|\'[^\'\n]*\'')
_SCRIPT_TEXT = re.compile(r"/\*.*?\*/|(?<![:\"'])//[^\n]*|\"[^\"\n]*\"|'[^'\n]*'|`[^`]*`", re.DOTALL)
_STYLE_TEXT = re.compile(r"/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r"(?P<prefix>[A-Za-z]*)(?P<quote>\"\"\"|'''|\"|')")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
_ONE_WORD = re.compile(r"\S*")
_RUN = re.compile(rf"([ {BARRIER}])\1+")
_KEPT = re.compile(rf" +|{BARRIER}+|.")


class Prose(NamedTuple):
    """Prose with each run of white space as one space and each barrier as one character.

    `masked` is the source with everything hidden that isn't prose.
    """

    text: str
    masked: str
    source: str

    def position(self, index: int) -> tuple[int, int]:
        """Line and column in the file, from 1, of a character of the prose."""
        offset = next(islice(_KEPT.finditer(self.masked), index, None)).start()
        return self.source.count("\n", 0, offset) + 1, offset - self.source.rfind("\n", 0, offset)


def prose_of(path: Path) -> Prose:
    """The prose of a file, by its type. Raises ValueError for a type that this module can't read."""
    mask = _MASKS.get(path.suffix)
    if mask is None:
        raise ValueError(f"{path}: can't read the prose of a {path.suffix or 'file without an ending'}")
    source = path.read_text(encoding="utf-8")
    masked = re.sub(r"\s", " ", mask(source))
    assert len(masked) == len(source)
    return Prose(_RUN.sub(r"\1", masked), masked, source)


def markdown_prose(source: str) -> str:
    """Markdown without code, link targets, comments, quotations and the parts that the program writes."""
    text = source
    for pattern in (_GENERATED, _FENCE, _INDENTED, _BLOCK_QUOTE, _COMMENT, _LINK_TARGET, _CODE_SPAN, _QUOTATION):
        text = pattern.sub(_hidden, text)
    return re.sub(r"[*_|#]", " ", re.sub(r"\n\s*\n", _hidden, text))


def yaml_prose(source: str) -> str:
    """The values and comments of YAML, without keys, code and quotations."""
    shown = [BARRIER] * len(source)
    is_key, covered = False, [False] * len(source)
    for token in yaml.scan(source, Loader=yaml.SafeLoader):
        if isinstance(token, yaml.ScalarToken):
            start, end = token.start_mark.index, token.end_mark.index
            covered[start:end] = [True] * (end - start)
            if not is_key:
                shown[start:end] = _readable(source[start:end])
        is_key = isinstance(token, yaml.KeyToken)
    for match in re.finditer(r"#[^\n]*\n?", source):
        if not covered[match.start()]:
            shown[match.start() : match.end()] = _readable(match[0].replace("#", " "))
    return "".join(shown)


def template_prose(source: str) -> str:
    """The text of a Jinja template for HTML, with the texts that its expressions hold."""
    text = _JINJA.sub(lambda match: _only(_JINJA_TEXT, match[0]), source)
    for pattern in (_CODE_ELEMENT, _TAG):
        text = pattern.sub(_hidden, text)
    return text


def script_prose(source: str) -> str:
    """The comments and strings of JavaScript."""
    return _only(_SCRIPT_TEXT, source)


def style_prose(source: str) -> str:
    """The comments of a style sheet."""
    return _only(_STYLE_TEXT, source)


def python_prose(source: str) -> str:
    """The comments, docstrings and strings of Python, without names, code spans and placeholders.

    A string that is one word is a name or a key, not prose. Strings next to each other are one text.
    """
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    hidden = re.sub(r"\S", BARRIER, source)
    shown, shown_to = list[str](), 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        start, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        if token.type == tokenize.COMMENT:
            prose = _readable(token.string.replace("#", " "))
        elif token.type == tokenize.STRING:
            prose = _string_prose(token.string)
        elif tokenize.tok_name[token.type] == "FSTRING_MIDDLE":  # Python 3.12 and later
            prose = _readable(source[start:end])
        elif tokenize.tok_name[token.type] in ("FSTRING_START", "FSTRING_END"):
            prose = " " * (end - start)
        else:
            continue
        shown += hidden[shown_to:start], prose
        shown_to = end
    return "".join((*shown, hidden[shown_to:]))


def _string_prose(literal: str) -> str:
    match = _STRING.match(literal)
    assert match is not None
    opening, closing = len(match[0]), len(match["quote"])
    body = literal[opening:-closing]
    if _ONE_WORD.fullmatch(body):
        return " " * opening + BARRIER * len(body) + " " * closing
    if "f" in match["prefix"].lower():
        body = _PLACEHOLDER.sub(_hidden, body)
    body = re.sub(r"\\[nt]", "  ", body)
    return " " * opening + _readable(body) + " " * closing


def _readable(text: str) -> str:
    """Text of a program or a data file without its code spans and quotations."""
    return _QUOTATION.sub(_hidden, _CODE_SPAN.sub(_hidden, text))


def _hidden(match: re.Match[str]) -> str:
    return BARRIER * len(match[0])


def _only(kept: re.Pattern[str], text: str) -> str:
    """`text` with everything hidden that isn't a match of `kept`."""
    return "".join(_pieces(kept, text))


def _pieces(kept: re.Pattern[str], text: str) -> Iterator[str]:
    end = 0
    for match in kept.finditer(text):
        yield BARRIER * (match.start() - end)
        yield match[0]
        end = match.end()
    yield BARRIER * (len(text) - end)


_MASKS: MappingProxyType[str, Callable[[str], str]] = MappingProxyType(
    {
        ".md": markdown_prose,
        ".yaml": yaml_prose,
        ".py": python_prose,
        ".j2": template_prose,
        ".js": script_prose,
        ".css": style_prose,
    }
)
