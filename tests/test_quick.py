"""What `make quick` leaves out is there, and what it keeps starts no gunicorn."""

import re
from pathlib import Path

from tests.quick import LEFT_OUT, is_left_out, left_out_in_words

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("test_*.py"))


def test_what_is_left_out_exists_and_is_named() -> None:
    assert [name for name in LEFT_OUT if not any((HERE / each).exists() for each in (name, f"{name}.py"))] == []
    assert [name for name in LEFT_OUT if name not in left_out_in_words()] == []


def test_a_file_that_starts_gunicorn_is_left_out() -> None:
    starts_gunicorn = re.compile(r"^from tests\.harness\.gunicorn ", re.MULTILINE)
    starting = [file for file in FILES if starts_gunicorn.search(file.read_text("utf-8"))]

    assert starting
    assert [file.stem for file in starting if not is_left_out(file)] == []
