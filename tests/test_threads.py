"""The parts of one task: in threads, or one by one while the process is ending."""

import threading

import pytest

from igfeed.threads import ThreadPool


def fail() -> None:
    raise ValueError("no luck")


def test_a_part_runs_in_a_thread_of_its_own() -> None:
    with ThreadPool(1) as threads:
        assert threads.submit(threading.get_ident).result() != threading.get_ident()


def test_while_the_process_is_ending_a_part_runs_at_once_in_the_callers_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("concurrent.futures.thread._shutdown", True)

    with ThreadPool(1) as threads:
        assert threads.submit(threading.get_ident).result() == threading.get_ident()
        assert list(threads.map(abs, [-1, 2])) == [1, 2]
        with pytest.raises(ValueError, match="no luck"):
            threads.submit(fail).result()
