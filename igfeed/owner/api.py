"""The JSON routes: for Vercel's cron, the owner's monitoring and health probes."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Blueprint, Flask, Response

from igfeed.accounts.directory import current_accounts
from igfeed.errors import StoreError
from igfeed.history import By
from igfeed.owner.auth import CHALLENGE, SEND_THE_SECRET, SET_A_SECRET, Access, access

bp = Blueprint("owner", __name__)

Params = ParamSpec("Params")


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    for rule in app.url_map.iter_rules("owner.run"):
        (rule.methods or set()).discard("HEAD")  # Flask adds it to GET, but a HEAD request must not start a renewal.


def secret_required(view: Callable[Params, Response]) -> Callable[Params, Response]:
    """The view, for requests with one of the secrets: as Bearer token or as Basic password. Others get 401.

    Without any configured secret everybody gets 503. No answer may be cached.
    """

    @wraps(view)
    def guarded(*args: Params.args, **kwargs: Params.kwargs) -> Response:
        granted = access()
        if granted is Access.ALLOWED:
            response = view(*args, **kwargs)
        elif granted is Access.NO_SECRET_SET:
            response = error(503, "not_configured", "No secret is set, so this route stays locked.", SET_A_SECRET)
        else:
            response = error(401, "unauthorized", "The secret is missing or wrong.", SEND_THE_SECRET)
            response.headers.update(CHALLENGE)
        response.headers["Cache-Control"] = "no-store"
        return response

    return guarded


@bp.get("/healthz")
def healthz() -> Response:
    """The process is alive. Asks neither the store nor Instagram, so that a probe costs nothing."""
    return _json({"ok": True})


@bp.get("/api/instagram/refresh-token")
@secret_required
def status() -> Response:
    """The status. Always 200, whatever it says: the request itself has succeeded."""
    # It takes a tenth of the time that Flask's own import takes, and no page needs it.
    from igfeed.owner.all_accounts.report import report_all  # noqa: PLC0415

    return _json(report_all(current_accounts()).to_json())


@bp.get("/api/instagram/history")
@secret_required
def history() -> Response:
    """The last renewals and fetches, newest first. 503 if the store is away and this process knows of none."""
    from igfeed.owner.all_accounts.report import events_of_all  # noqa: PLC0415  as above

    try:
        events = events_of_all(current_accounts())
    except StoreError as away:
        return error(503, "store_unavailable", str(away), away.hint)
    return _json({"events": [event.to_json() for event in events]})


@bp.post("/api/instagram/refresh-token")
@secret_required
def renew() -> Response:
    """Like ``run``, for the owner."""
    return _run("owner")


@bp.route("/api/cron/refresh-instagram-token", methods=["GET", "POST"])
@secret_required
def run() -> Response:
    """Renew, fetch, mirror. 502 if any of it failed, so that monitoring notices."""
    return _run("cron")


def _run(by: By) -> Response:
    from igfeed.owner.all_accounts import cron  # noqa: PLC0415  as above

    done = cron.run(current_accounts(), by)
    return _json(done.to_json(), 200 if done.ok else 502)


def error(status_code: int, name: str, message: str, hint: str) -> Response:
    return _json({"error": name, "message": message, "hint": hint}, status_code)


def _json(data: dict[str, Any], status_code: int = 200) -> Response:
    """Not `jsonify`, which sorts the keys: the contract gives them in an order made for reading."""
    return Response(json.dumps(data), status_code, mimetype="application/json")
