"""PowerShell gives the program the same words as a POSIX shell, in every example of a help text and of the pages.

People on Windows copy the examples into PowerShell. There, a comma makes two arguments of one, ``$`` and a backtick
mean something within double quotes, and Windows PowerShell 5.1 loses a double quote within an argument.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest

from tests.docs.commands import every_command
from tests.docs.pages import PROGRAM, arguments, commands, pages, read, title

POSIX_ONLY = re.compile(r"\$[({A-Z]|<\(|>\(|\\$|\|\||&&")
"""What only a POSIX shell does: variables, substitutions, a line that goes on, a command that depends on another."""
WINDOWS_ONLY = re.compile(r"\b[A-Z]:\\")
"""A path that a POSIX shell would read in another way."""
NOTE = re.compile(r"\s{2,}\(.*\)$")
"""Where an example works, after it."""
_WORD = re.compile(r"""(?:[^\s"']|"[^"]*"|'[^']*')+""")
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_SPECIAL = re.compile(r"[,;(){}$`&|<>]|^[@#~]")
_PLACEHOLDER = re.compile(r"<[a-z ]+>")


def examples() -> Iterator[tuple[str, str]]:
    """Every command of a help text, then those of the pages that no POSIX shell is needed for."""
    for here in every_command():
        for line in (here.command.epilog or "").splitlines():
            if line.strip().startswith(f"{PROGRAM} "):
                yield here.command_path, line.strip()
    for page in pages():
        if page.name != "CHANGELOG.md":
            for command in dict.fromkeys(commands(read(page))):
                if not POSIX_ONLY.search(command):
                    yield title(page), NOTE.sub("", command)


SHOWN = [pytest.param(command, id=f"{where}: {command}") for where, command in dict.fromkeys(examples())]


def own_words(command: str) -> Iterator[str]:
    """The words up to a pipe or a redirection, as they are written."""
    for word in _WORD.findall(command):
        if word in ("|", ">", ">>", "2>", "2>>", "2>&1"):
            return
        yield word


def as_powershell_reads(word: str) -> list[str]:
    """The arguments that PowerShell makes of one word. Raises ValueError for a word that it reads in another way."""
    bare = _QUOTED.sub("", word)
    for double, _ in _QUOTED.findall(word):
        if re.search(r"[$`]", double):
            raise ValueError(f"{word}: within double quotes, $ and ` mean something")
    if '"' in _QUOTED.sub(lambda found: found[2] or "", word):
        raise ValueError(f"{word}: Windows PowerShell 5.1 loses a double quote within an argument")
    if special := _SPECIAL.search(_PLACEHOLDER.sub("", bare)):
        raise ValueError(f"{word}: {special[0]} isn't text without quotes")
    return [_QUOTED.sub(lambda found: found[1] or found[2] or "", word)]


@pytest.mark.parametrize("command", SHOWN)
def test_powershell_reads_the_words_of_an_example_as_a_posix_shell_does(command: str) -> None:
    words = [argument for word in own_words(command) for argument in as_powershell_reads(word)]
    if not WINDOWS_ONLY.search(command):
        assert words[1:] == arguments(command)
        assert words == shlex.split(" ".join(own_words(command)))


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("a,b", id="a comma makes two arguments"),
        pytest.param('"$skip"', id="a variable within double quotes"),
        pytest.param("'say \"yes\"'", id="a double quote within single quotes"),
        pytest.param("a;b", id="a semicolon ends the command"),
        pytest.param("@key.txt", id="an at sign at the beginning"),
        pytest.param("<", id="PowerShell reads no file into a program"),
    ],
)
def test_what_powershell_reads_in_another_way_is_found(word: str) -> None:
    with pytest.raises(ValueError, match=re.escape(word)):
        as_powershell_reads(word)
