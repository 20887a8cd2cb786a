"""The JSON routes for machines: Vercel's cron, the owner's monitor, a probe."""

import base64
import hmac
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

from flask import Blueprint, Flask, Response, request

from igfeed.services import current

bp = Blueprint("owner", __name__)

Params = ParamSpec("Params")


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    for rule in app.url_map.iter_rules("owner.run"):
        (rule.methods or set()).discard("HEAD")  # Flask adds it to GET; nobody who only looks wants a renewal.


def secret_required(view: Callable[Params, Response]) -> Callable[Params, Response]:
    """Lets in who brings the secret, as Bearer token or as Basic password; the answer is never cached."""

    @wraps(view)
    def guarded(*args: Params.args, **kwargs: Params.kwargs) -> Response:
        secrets = current().settings.secrets
        if not secrets:
            response = error(503, "not_configured", "No secret is set, so this route stays locked.", SET_A_SECRET)
        elif not _is_one_of(secrets):
            response = error(401, "unauthorized", "The secret is missing or wrong.", SEND_THE_SECRET)
            response.headers["WWW-Authenticate"] = 'Basic realm="igfeed"'
        else:
            response = view(*args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        return response

    return guarded


SET_A_SECRET = "Set CRON_SECRET to a long random text and deploy again."  # noqa: S105  advice, no secret
SEND_THE_SECRET = "Send it as `Authorization: Bearer …`, or as the password that the browser asks for."  # noqa: S105


@bp.get("/healthz")
def healthz() -> Response:
    """For probes: the process answers. Asks nobody."""
    return _json({"ok": True})


@bp.get("/api/instagram/refresh-token")
@secret_required
def status() -> Response:
    """How it stands; a report, hence always 200."""
    from igfeed.owner.status import report  # noqa: PLC0415  as long to import as a tenth of Flask, and no page needs it

    return _json(report(current()).to_json())


@bp.post("/api/instagram/refresh-token")
@bp.route("/api/cron/refresh-instagram-token", methods=["GET", "POST"])
@secret_required
def run() -> Response:
    """Renew, fetch, mirror; 502 when any of it failed, so that monitoring sees it."""
    from igfeed.owner import upkeep  # noqa: PLC0415  as above

    done = upkeep.run(current())
    return _json(done.to_json(), 200 if done.ok else 502)


def _is_one_of(secrets: tuple[str, ...]) -> bool:
    """Compares in constant time, and with every secret, so that the time tells nothing."""
    given = _given_secret()
    return sum(hmac.compare_digest(given, secret.encode()) for secret in secrets) > 0


def _given_secret() -> bytes:
    """What stands behind Bearer, or the password behind Basic.

    Not by werkzeug, which takes a Bearer secret with a "=" in it for parameters and fails on what is no ASCII.
    """
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    given = credentials.strip().encode("latin-1", "replace")  # WSGI hands bytes over as Latin-1.
    if scheme.lower() == "bearer":
        return given
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(given).partition(b":")[2]
    except ValueError:
        return b""


def error(status_code: int, name: str, message: str, hint: str) -> Response:
    return _json({"error": name, "message": message, "hint": hint}, status_code)


def _json(data: dict[str, Any], status_code: int = 200) -> Response:
    """In the order of the contract, which is made for reading."""
    return Response(json.dumps(data), status_code, mimetype="application/json")
