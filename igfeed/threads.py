"""Threads for the parts of one task. The task is also finished while the process is ending."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

Params = ParamSpec("Params")
Result = TypeVar("Result")


class ThreadPool(ThreadPoolExecutor):
    """Runs each part in a thread with the caller's context variables, so the log names the same account.

    While the process is ending, Python starts no thread. The parts then run one by one in the caller's thread.
    Otherwise a fetch would fail if the server stops in the middle of it.
    """

    def submit(
        self, work: Callable[Params, Result], /, *args: Params.args, **kwargs: Params.kwargs
    ) -> "Future[Result]":
        try:
            return super().submit(partial(copy_context().run, work, *args, **kwargs))
        except RuntimeError:
            return _done(work, *args, **kwargs)


def _done(work: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> "Future[Result]":
    """Do the work now, in this thread. Returns its future."""
    future: Future[Result] = Future()
    try:
        future.set_result(work(*args, **kwargs))
    except Exception as error:  # noqa: BLE001  whoever asks for the result gets the error
        future.set_exception(error)
    return future
