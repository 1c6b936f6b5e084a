"""Read and decide every tenant of a configuration, with the program's own functions and nothing else.

``python benchmarks/fleet_read.py CONFIGURATION`` prints how often each answer came. It is what ``fleet report --live``
does before it looks for fixes and makes the report.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter

from auditor.consent.decide import decide
from auditor.jobs.fleet_reads import TenantRead, read_fleet
from auditor.jobs.night_setup import prepared_audits
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.secret_references import Secrets


def answers_of(read: TenantRead) -> tuple[str, ...]:
    """The decision on each app, or why there is none."""
    if read.snapshot is None:
        return (read.failure.error if read.failure else "",)
    return tuple(decide(read.snapshot, pack.app).outcome.value for pack in read.prepared.packs if pack.app)


def main(file: str) -> None:
    """Read the tenants of the configuration in `file`."""
    configuration = load_configuration(file)
    jobs = list(zip(configuration.tenants, prepared_audits(configuration.tenants), strict=True))
    found = read_fleet(jobs, Secrets(), answers_of, concurrency=configuration.concurrency)
    for answer, number in Counter(found).most_common():
        print(number, *answer)


if __name__ == "__main__":
    # As the program does at its start.
    gc.set_threshold(100_000)
    main(sys.argv[1])
