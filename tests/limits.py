"""How long a test waits for something that always comes, and how many examples a dear property gets."""

from __future__ import annotations

from hypothesis import settings

HUNG_AFTER = 900
"""Seconds. The slowest thing waited for, a bundle with a PDF, takes ten seconds on a quiet machine and took 133
on a busy machine. A limit must not fail a test because the machine is busy, so it is far above both."""


def examples(in_test: int) -> int:
    """How many examples a property gets: `in_test` of them in ``make test``, else as many as the profile says.

    For those whose time goes into making a tenant or a report at random. ``make soak`` tries a thousand, other ones
    each time.
    """
    return in_test if settings.get_current_profile_name() == "same" else settings().max_examples
