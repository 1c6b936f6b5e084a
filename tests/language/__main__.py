"""``python -m tests.language [PATH…]``: report each construction to avoid, with its place and what to write instead.

Without a path it reads the files that ``checked`` in ``words.yaml`` names. Exits with 1 if it found something, and
with 2 for a path that names no file.
"""

from __future__ import annotations

import sys

from tests.language.wording import LIST, ROOT, files_of, problems_in, word_list


def main(arguments: list[str]) -> int:
    """Print the problems of the files; returns the exit code."""
    words = word_list()
    try:
        files = list(files_of(arguments or words.checked))
        problems = [problem for path in files for problem in problems_in(path, words)]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} to rewrite. The list is {LIST.relative_to(ROOT)}.", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
