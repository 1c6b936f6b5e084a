"""How long a test waits for something that always comes, unless the program or the test hangs."""

from __future__ import annotations

HUNG_AFTER = 900
"""Seconds. The slowest thing waited for, a bundle with a PDF, takes ten seconds on a quiet machine and took 133
on a busy machine. A limit must not fail a test because the machine is busy, so it is far above both."""
