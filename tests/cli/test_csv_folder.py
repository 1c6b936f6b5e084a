"""``-f csv -o FOLDER/`` as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cli.program import main
from auditor.render import FORMATS


def test_a_folder_gets_a_csv_file_for_each_table(tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    options = ["--sample", "managed-default", "--pack", "trackerrms-uk", "--fail-on", "never"]
    with pytest.raises(SystemExit) as ended:
        main(["check", *options, "-f", "csv", "-o", f"{folder}/"])
    assert ended.value.code == 0
    assert {file.name for file in folder.iterdir()} == {f"{table}.csv" for table in FORMATS["csv"].tables}
    assert "NEEDS ADMIN" in (folder / "decisions.csv").read_text(encoding="utf-8-sig")
