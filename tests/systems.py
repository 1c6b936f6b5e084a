"""What a test needs of the system that runs it, as marks with the reason why it is skipped elsewhere."""

from __future__ import annotations

import os
import shutil

import pytest

needs_bash = pytest.mark.skipif(os.name != "posix" or shutil.which("bash") is None, reason="runs a script with bash")
needs_scripts = pytest.mark.skipif(
    os.name != "posix", reason="puts a script in the place of a program, which Windows doesn't run"
)
needs_links = pytest.mark.skipif(os.name != "posix", reason="Windows lets few users create links")
needs_owners = pytest.mark.skipif(os.name != "posix", reason="the permissions of POSIX: on Windows, the folder decides")
needs_signals = pytest.mark.skipif(os.name != "posix", reason="kills a process by a signal of POSIX")
