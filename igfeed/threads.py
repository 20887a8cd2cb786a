"""Threads for the parts of one task, which also gets done while the process is ending."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

Params = ParamSpec("Params")
Result = TypeVar("Result")


class ThreadPool(ThreadPoolExecutor):
    """Runs each part in a thread, with the caller's context variables: the log then names the account of both.

    While the process is ending it runs the parts one by one in the caller's thread.

    Python starts no thread then, but still finishes the work of threads that run. A server that stops would otherwise
    fail the fetch that it is in the middle of.
    """

    def submit(
        self, work: Callable[Params, Result], /, *args: Params.args, **kwargs: Params.kwargs
    ) -> "Future[Result]":
        try:
            return super().submit(partial(copy_context().run, work, *args, **kwargs))
        except RuntimeError:
            return _done(work, *args, **kwargs)


def _done(work: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs) -> "Future[Result]":
    """The future of work that is done now, in this thread."""
    future: Future[Result] = Future()
    try:
        future.set_result(work(*args, **kwargs))
    except Exception as error:  # noqa: BLE001  whoever asks for the result gets the error
        future.set_exception(error)
    return future
