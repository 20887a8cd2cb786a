"""Work that follows the host's answer."""

from collections.abc import Callable

from flask import Flask, Response, after_this_request, has_request_context, request

Work = Callable[[], object]

WAITING_KEY = "igfeed.after_answer"
"""The WSGI environment has the work that waits for the end of the request under this key."""


class AfterAnswer:
    """Does work after the host's answer has been sent. If there is no request, it does the work at once."""

    def __init__(self, host: Flask) -> None:
        host.teardown_request(_do_the_rest)

    def __call__(self, work: Work) -> None:
        if not has_request_context():
            work()
            return
        if WAITING_KEY not in request.environ:
            request.environ[WAITING_KEY] = []
            after_this_request(_hand_over)
        request.environ[WAITING_KEY].append(work)


def _hand_over(response: Response) -> Response:
    for work in request.environ.pop(WAITING_KEY):
        response.call_on_close(work)
    return response


def _do_the_rest(_: BaseException | None) -> None:
    """Does the work of a template that is streamed: that is rendered too late for ``_hand_over``."""
    for work in request.environ.pop(WAITING_KEY, ()):
        work()
