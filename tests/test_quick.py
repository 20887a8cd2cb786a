"""What `make quick` leaves out is there, and what it keeps starts no gunicorn."""

import re
from pathlib import Path

import pytest

from tests.quick import LEFT_OUT, is_left_out, left_out_in_words

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("test_*.py"))


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_is_left_out_exists_and_is_named(name: str) -> None:
    assert any((HERE / each).exists() for each in (name, f"{name}.py"))
    assert name in left_out_in_words()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_that_starts_gunicorn_is_left_out(file: Path) -> None:
    starts_gunicorn = re.search(r"^from tests\.harness\.gunicorn ", file.read_text("utf-8"), re.MULTILINE)

    assert is_left_out(file) or not starts_gunicorn
