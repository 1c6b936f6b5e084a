"""Files as programs, editors, networks and attackers spoil them: real ones with a few changes, and raw bytes."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

Draw = Any

MOST_CHANGES = 4


class Original(bytes):
    """The bytes of a real file, with a short `repr`, because hypothesis prints the arguments of strategies."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\x1b[31m\x1b]8;;https://evil.example\x07",
        "\u202egnp.exe",
        "\ufeff",
        "\u2028",
        "a\r\nb",
        "%s%n{0}{x.__class__}",
        "../../etc/passwd",
        "C:\\NUL",
        "x" * 100_000,
        "🇦" * 500,
        "9" * 5000,
        "2026-11-22T02:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "00000000-0000-0000-0000-000000000000",
    ]
)
NUMBERS = st.sampled_from([0, -1, 1, 2**31, 2**53 + 1, 2**64, -(2**64), 10**400, 0.5, 1e308, -0.0])
"""Numbers at the limits of types; 10**400 is larger than any float."""


def _nested(depth: int, is_list: bool) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value] if is_list else {"value": value}
    return value


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    TEXTS,
    st.builds(_nested, st.sampled_from([1, 50, 400]), st.booleans()),
    st.lists(st.none() | st.integers() | TEXTS, max_size=3),
    st.dictionaries(TEXTS, st.none() | TEXTS, max_size=3),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside of a document."""
    found = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += [(*path, key), *_places(inner, (*path, key))]
    return found


@st.composite
def documents(draw: Draw, originals: list[Any]) -> Any:
    """One of the JSON documents, with up to four values replaced, removed, copied elsewhere, or under another name."""
    document = json.loads(json.dumps(draw(st.sampled_from(originals))))
    for _ in range(draw(st.integers(0, MOST_CHANGES))):
        places = _places(document)
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        holder = document
        for key in way:
            holder = holder[key]
        match draw(st.sampled_from(["replace", "remove", "copy", "repeat", "rename", "wrap"])):
            case "replace":
                holder[last] = draw(VALUES)
            case "remove":
                del holder[last]
            case "copy":
                holder[last] = json.loads(json.dumps(_at(document, draw(st.sampled_from(places)))))
            case "repeat" if isinstance(holder, list):
                holder.extend([holder[last]] * draw(st.sampled_from([1, 2, 50])))
            case "rename" if isinstance(holder, dict):
                holder[draw(TEXTS | st.just(str(last).upper()))] = holder.pop(last)
            case _:
                holder[last] = draw(st.sampled_from([[holder[last]], {str(last): holder[last]}]))
    return document


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


FRAGMENTS = st.binary(max_size=8) | st.sampled_from(
    [
        b"\x00",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\\ud800",
        b"\\u0000",
        b"\r\n",
        b"\r",
        b"\x1a",
        b"\x1b[2J",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"9" * 5000,
        b"[" * 2000,
        b'{"a":' * 2000,
        b'"',
        b"\\",
        b"\t",
        b"&a [*a, *a]",
        b"!!python/object/apply:os.system [id]",
        b"<<: *a",
        b"? ",
        b"- ",
        b"--- ",
        b"%YAML 9.9\n---\n",
        b"#",
        b": ",
        b"|\n",
        b"@",
    ]
)


@st.composite
def spoilt(draw: Draw, data: bytes) -> bytes:
    """The bytes with up to four places changed, cut off, repeated, or in another encoding."""
    for _ in range(draw(st.integers(0, MOST_CHANGES))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.sampled_from([0, 1, 2, 16, 300]))
        match draw(st.sampled_from(["insert", "replace", "cut", "repeat", "remove"])):
            case "insert":
                data = data[:at] + draw(FRAGMENTS) + data[at:]
            case "replace":
                data = data[:at] + draw(FRAGMENTS) + data[at + length :]
            case "cut":
                data = data[:at]
            case "repeat":
                data = data[:at] + data[at : at + length] * draw(st.sampled_from([2, 30])) + data[at + length :]
            case "remove":
                data = data[:at] + data[at + length :]
    match draw(st.sampled_from(["", "", "", "", "utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "crlf"])):
        case "":
            return data
        case "crlf":
            return data.replace(b"\n", b"\r\n")
        case encoding:
            return data.decode("utf-8", "replace").encode(encoding, "replace")


@st.composite
def lines(draw: Draw, originals: list[bytes]) -> bytes:
    """One of the texts, with lines removed, repeated, moved, indented otherwise, or with another value."""
    found = draw(st.sampled_from(originals)).splitlines(keepends=True)
    for _ in range(draw(st.integers(0, MOST_CHANGES))):
        if not found:
            break
        at = draw(st.integers(0, len(found) - 1))
        line = found[at]
        match draw(st.sampled_from(["remove", "repeat", "move", "indent", "value", "key"])):
            case "remove":
                del found[at]
            case "repeat":
                found[at:at] = [line] * draw(st.sampled_from([1, 40]))
            case "move":
                found.insert(draw(st.integers(0, len(found) - 1)), found.pop(at))
            case "indent":
                found[at] = draw(st.sampled_from([b" ", b"  ", b"\t", b"- "])) + line
            case "value":
                found[at] = line.partition(b":")[0] + b": " + draw(FRAGMENTS | _yaml_values()) + b"\n"
            case "key":
                found[at] = draw(FRAGMENTS | _yaml_values()) + b":" + line.partition(b":")[2]
    return b"".join(found)


def _yaml_values() -> st.SearchStrategy[bytes]:
    """Values as JSON, which is YAML."""
    return VALUES.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@st.composite
def archives(draw: Draw, members: Mapping[str, bytes]) -> dict[str, bytes]:
    """The members of a ZIP file, some missing, renamed, added or spoilt."""
    files = dict(members)
    for _ in range(draw(st.integers(1, MOST_CHANGES))):
        name = draw(st.sampled_from(sorted(files))) if files else ""
        match draw(st.sampled_from(["remove", "rename", "add", "spoil", "swap"])):
            case "remove" if name:
                del files[name]
            case "rename" if name:
                files[draw(_NAMES)] = files.pop(name)
            case "spoil" if name:
                files[name] = draw(spoilt(files[name]))
            case "swap" if name:
                files[name] = files[draw(st.sampled_from(sorted(files)))]
            case _:
                files[draw(_NAMES)] = draw(FRAGMENTS)
    return files


_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8) | st.sampled_from(
    [
        "../snapshot.json",
        "/etc/passwd",
        "packs/",
        "packs/../x.yaml",
        "packs/CON.yaml",
        "packs/a.yaml",
        "SNAPSHOT.JSON",
        "C:\\x",
        ".",
        "snapshot.json\x00.txt",
    ]
)


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP file of the members."""
    out = io.BytesIO()
    # The library warns of names that are there twice; these files are among the examples.
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            # The library ends a name at a NUL, and writes an empty one only if it's given as a ZipInfo.
            archive.writestr(name if name.partition("\0")[0] else zipfile.ZipInfo(name), data)
    return out.getvalue()
