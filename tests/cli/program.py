"""The installed command in a separate process, and its output without the parts that change from run to run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.graphserver import GraphServer, client_certificate
from tests.graphserver.tls import ca_file, server_context
from tests.limits import HUNG_AFTER

COMMAND = Path(sysconfig.get_path("scripts")) / "consent-auditor"
AT_ONCE = 4
"""Processes under way together: they wait for each other's servers as often as they compute."""

SECRETS = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD")
KEPT = ("PATH", "SYSTEMROOT", "TEMP")
"""All that a run has from this process's environment."""

_CHANGING = (
    (r"consent-auditor \d+\.\d+\.\d+\S*", "consent-auditor @@VERSION@@"),
    (r"(localhost|127\.0\.0\.1):\d+", r"\1:@@PORT@@"),
    (r"\bport \d+", "port @@PORT@@"),
    (r"((?i:request id) +)[0-9a-f-]{36}", r"\1@@REQUEST@@"),
    (r"\b\d+ ms\b", "@@ ms"),
    (r"\bonly \d+ left\b", "only @@ left"),
    (r"\b\d+ s (behind|ahead of)", r"@@ s \1"),
)


@dataclass(frozen=True)
class Done:
    """How a run ended. Neither stream may ever hold a traceback, a secret or a token."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def session(self) -> str:
        """Command, exit code and error output as a terminal would show them, scrubbed."""
        shown = [f'"{word}"' if re.search(r"[\s?&<>]|^$", word) else word for word in self.arguments]
        return scrubbed(f"$ {' '.join(('consent-auditor', *shown))}\n(exit code {self.code})\n{self.err}")


def scrubbed(text: str) -> str:
    """The text with placeholders for what no two runs have in common."""
    for changing, placeholder in _CHANGING:
        text = re.sub(changing, placeholder, text)
    return text


def without_times(text: str) -> str:
    """A report without when the tenant was read."""
    return re.sub(r"20\d\d-\d\d-\d\d[ T]\d\d:\d\d(:\d\dZ| UTC)", "@@TIME@@", text)


def environment(cwd: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """A bare environment, with `more`."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "HOME": str(cwd), "PYTHONUTF8": "1", **(more or {})}


def run(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None, stdin: bytes | None = None) -> Done:
    """Run the installed command to its end."""
    assert COMMAND.exists(), f"{COMMAND} is missing: install the program (make), or pip install --no-deps -e ."
    environ = environment(cwd, env)
    ended = subprocess.run(
        [COMMAND, *arguments],
        cwd=cwd,
        env=environ,
        input=b"" if stdin is None else stdin,
        capture_output=True,
        timeout=HUNG_AFTER,
        check=False,
    )
    out, err = (stream.decode("utf-8", "backslashreplace") for stream in (ended.stdout, ended.stderr))
    check_silence(out + err, environ)
    return Done(arguments, ended.returncode, out.replace("\r\n", "\n"), err.replace("\r\n", "\n"))


def without_pdf(folder: Path) -> dict[str, str]:
    """What makes a run find no WeasyPrint: a bundle comes without its PDF, which costs more than all else in it."""
    (folder / "without-pdf").mkdir(exist_ok=True)
    (folder / "without-pdf" / "weasyprint.py").write_text("raise ImportError\n")
    return {"PYTHONPATH": str(folder / "without-pdf")}


def check_silence(said: str, environ: Mapping[str, str]) -> None:
    """Nothing that was said may be a traceback, a secret or a token."""
    assert "Traceback" not in said, said
    assert "eyJ" not in said, "a token was shown"
    for name in SECRETS:
        assert not environ.get(name) or environ[name] not in said, f"{name} was shown"


def at(server: GraphServer) -> tuple[str, ...]:
    """The options that lead to this server."""
    return ("--authority-host", server.authority, "--graph-endpoint", server.graph)


@contextmanager
def all_of(cases: Mapping[str, Callable[[], Done]]) -> Iterator[Callable[[str], Done]]:
    """Run all cases, a few at a time, and hand out what came of each by its name."""
    for made_once in (ca_file, server_context, client_certificate):  # not in two threads at once
        made_once()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {name: pool.submit(case) for name, case in cases.items()}
        yield lambda name: futures[name].result()


@contextmanager
def interrupts(action: signal.Handlers | Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Start programs with SIGINT ignored (SIG_IGN), or with its default action (any handler), as at a terminal.

    A program inherits an ignored SIGINT: from a job in the background, from nohup, from some CI runners.
    """
    before = signal.signal(signal.SIGINT, action)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
