"""Work that a request causes and that nobody waits for."""

from functools import partial

from flask import Response, after_this_request, has_request_context

from igfeed.background import Work
from igfeed.services import Services


def after_answer(services: Services, work: Work) -> None:
    """Run the work in the background: after the answer to the current request, or now if there is no request."""
    if not has_request_context():
        services.background(work)
        return

    @after_this_request
    def add_to(response: Response) -> Response:
        response.call_on_close(partial(services.background, work))
        return response
