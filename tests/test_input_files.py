"""Files that a person names: none of them keeps the program waiting for ever."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import pytest

from auditor.input_files import NoWriter, input_bytes

MOST = 1000


def test_a_file_is_read_up_to_one_byte_more_than_the_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 5000)
    assert input_bytes(tmp_path / "file", 5000) == b"x" * 5000
    assert len(input_bytes(tmp_path / "file", MOST)) == MOST + 1


def test_a_file_that_is_not_there_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        input_bytes(tmp_path / "gone", MOST)
    with pytest.raises(OSError):
        input_bytes(tmp_path, MOST)
    with pytest.raises(ValueError):
        input_bytes(f"{tmp_path}/\0", MOST)


pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


@pipes
def test_a_pipe_that_no_program_writes_to_is_an_error_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NoWriter) as caught:
        input_bytes(tmp_path / "pipe", MOST)
    assert caught.value.strerror == "it is a pipe that no program writes to"
    assert caught.value.filename == str(tmp_path / "pipe")


@pipes
def test_a_pipe_is_read_as_long_as_its_program_writes(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Open for both, so that there is a program that writes before the reader comes.
    handle = os.open(pipe, os.O_RDWR)
    parts = [b"one", b"two", b"three" * 20_000]

    def write() -> None:
        for part in parts:
            data = memoryview(part)
            while data:
                data = data[os.write(handle, data) :]
        os.close(handle)

    writer = Thread(target=write)
    writer.start()
    assert input_bytes(pipe, 200_000) == b"".join(parts)
    writer.join()


@pipes
def test_a_program_that_writes_nothing_is_waited_for_as_long_as_the_caller_says(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    handle = os.open(tmp_path / "pipe", os.O_RDWR)
    now = iter([0.0, 30.0])
    with pytest.raises(TimeoutError, match="nothing came out of it for 30 seconds"):
        input_bytes(tmp_path / "pipe", MOST, patience=30.0, clock=lambda: next(now))
    os.close(handle)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a device without an end")
def test_a_device_without_an_end_is_read_up_to_the_limit() -> None:
    assert input_bytes("/dev/zero", MOST) == bytes(MOST + 1)
