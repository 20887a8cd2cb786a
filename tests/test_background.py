"""Work that nobody waits for: where it runs, and that its failure ends nothing."""

import threading

import pytest

from igfeed.background import WorkerThread, in_place


def fail() -> None:
    raise ValueError("no luck")


def test_in_place_means_here_and_now() -> None:
    ran_in = []
    in_place(lambda: ran_in.append(threading.get_ident()))
    assert ran_in == [threading.get_ident()]


def test_in_place_a_failure_is_logged_and_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    in_place(fail)
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert record.exc_info


def test_the_worker_is_another_thread_and_always_the_same() -> None:
    worker, ran_in, done = WorkerThread(), [], threading.Event()
    for _ in range(3):
        worker(lambda: ran_in.append(threading.current_thread()))
    worker(done.set)
    assert done.wait(10)
    assert len(set(ran_in)) == 1
    assert ran_in[0] is not threading.current_thread()
    assert ran_in[0].name.startswith("igfeed")


def test_nobody_waits_for_the_workers_work() -> None:
    worker, go_on, done = WorkerThread(), threading.Event(), threading.Event()
    worker(lambda: done.set() if go_on.wait(10) else None)
    assert not done.is_set()
    go_on.set()
    assert done.wait(10)


def test_the_worker_does_one_thing_after_the_other() -> None:
    worker, began, done = WorkerThread(), threading.Event(), threading.Event()
    overlapped: list[bool] = []
    worker(lambda: overlapped.append(began.wait(0.1)))
    worker(began.set)
    worker(done.set)
    assert done.wait(10)
    assert overlapped == [False]


def test_after_a_failure_the_worker_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    worker, done = WorkerThread(), threading.Event()
    worker(fail)
    worker(done.set)
    assert done.wait(10)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_no_thread_is_started_before_there_is_work() -> None:
    before = threading.active_count()
    WorkerThread()
    assert threading.active_count() == before
