"""The documentation site: ``python -m tests.docs.site`` builds it and checks what its generator doesn't check.

The generator's strict mode refuses a link that leads nowhere. Here a page that no navigation and no page leads to is
refused, too, and one that would load something from the network.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Set
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from tests.docs.pages import ROOT

SITE = ROOT / "build/site"
_LINK = re.compile(r"<a\b[^>]*\shref=[\"']?([^\"'\s>]+)")
_TARGET = re.compile(r"<(?:a|img|script|link|source)\b[^>]*\s(?:href|src)=[\"']?([^\"'\s>]+)")
_LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|link)\b[^>]*\s(?:src|href|srcset)=[\"']?((?:https?:)?//[^\"'\s>]+)"
)
_NOT_LOADED = re.compile(r"<link\b[^>]*\srel=[\"']?(?:canonical|alternate|edit|next|prev)\b")
_IN_STYLE = re.compile(r"(?:url\(|@import\s+)[\"']?((?:https?:)?//[^\"')\s;]+)")


def build() -> str:
    """Rebuild the site; what the generator complains about, or nothing."""
    command = (sys.executable, "-m", "zensical", "build", "--clean", "--strict")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)
    return "" if done.returncode == 0 else said.partition("Traceback")[0]


def orphans(pages: Mapping[str, str], start: str = "index.html") -> list[str]:
    """The pages, by their paths, to which no link leads from the first one on."""
    reached, ahead = {start}, [start]
    while ahead:
        here = ahead.pop()
        for link in _LINK.findall(pages.get(here, "")):
            parts = urlsplit(link)
            if parts.scheme or not parts.path:
                continue
            target = _joined(PurePosixPath(here).parent, unquote(parts.path))
            if target in pages and target not in reached:
                reached.add(target)
                ahead.append(target)
    return sorted(set(pages) - reached)


def leads_nowhere(here: str, text: str, files: Set[str]) -> list[str]:
    """The files that a page refers to and the site doesn't have."""
    folder = PurePosixPath(here).parent
    paths = (urlsplit(link) for link in _TARGET.findall(text))
    wanted = {
        _joined(folder, unquote(parts.path)) for parts in paths if not parts.scheme and not parts.netloc and parts.path
    }
    return sorted(wanted - files - {"", "."})


def _joined(folder: PurePosixPath, path: str) -> str:
    parts: list[str] = []
    for part in (folder / path).parts:
        if part == "..":
            parts = parts[:-1]
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def loaded_from_the_network(text: str) -> list[str]:
    """The addresses that a page or a style sheet makes a browser load."""
    kept = "".join(tag for tag in re.split(r"(?=<)", text) if not _NOT_LOADED.match(tag))
    return sorted({*_LOADED.findall(kept), *_IN_STYLE.findall(text)})


def problems(site: Path = SITE) -> Iterator[str]:
    """What is wrong with a site that was built."""
    pages = {
        path.relative_to(site).as_posix(): path.read_text(encoding="utf-8")
        for path in site.rglob("*.html")
        if path.name != "404.html" and ("gallery" not in path.parts or path.name != "report.html")
    }
    for name in orphans(pages):
        yield f"{name}: no page leads to it: add it to nav in zensical.toml, or link to it"
    files = {path.relative_to(site).as_posix() for path in site.rglob("*")}
    for name, text in pages.items():
        for target in leads_nowhere(name, text, files):
            yield f"{name}: leads to {target}, which the site doesn't have"
    styles = {path.relative_to(site).as_posix(): path.read_text(encoding="utf-8") for path in site.rglob("*.css")}
    for name, text in (*pages.items(), *styles.items()):
        for address in loaded_from_the_network(text):
            yield f"{name}: loads {address} from the network"


if __name__ == "__main__":
    found = build() or "\n".join(problems())
    print(found or f"The site is {SITE.relative_to(ROOT)}/index.html")
    sys.exit(1 if found else 0)
