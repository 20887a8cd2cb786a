"""The routes of a login: to Instagram's page, back from it, and the question about another account.

For the studio: a link to ``url_for("connect.start")``, or with ``another=1`` for another account. It ends at the studio
with ``done=connected``, ``done=connect_kept`` or ``done=connect_failed``. ``outcome.last_failure`` says why it failed.
"""

from flask import Blueprint, Flask, Response, redirect, request, url_for

from igfeed.errors import IgfeedError, LoginRefused
from igfeed.owner.pages.forms import form_token, owner_form, to_studio
from igfeed.owner.pages.frame import owner_page, page_response
from igfeed.services import current

bp = Blueprint("connect", __name__, url_prefix="/connect")


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    for name in ("connect.start", "connect.callback"):
        for rule in app.url_map.iter_rules(name):
            (rule.methods or set()).discard("HEAD")  # A HEAD request must not use up a login.


@bp.get("")
@owner_page
def start() -> Response:
    """To Instagram's own page, with a state that only this browser can bring back."""
    # A visitor's process needs none of this, and it would make its start slower.
    from igfeed.owner.connect import app_credentials, outcome  # noqa: PLC0415  as above
    from igfeed.owner.connect.addresses import absolute, is_at_own_host  # noqa: PLC0415  as above

    services, another = current(), request.args.get("another")
    if not is_at_own_host() and "at" not in request.args:
        # Once only: behind a proxy that changes the host we can never be at our own.
        return _redirect(absolute(url_for("connect.start", another=another, at="own-host")), 302)
    try:
        services.check_startup()
        app = app_credentials.credentials(services)
        if app is None or services.settings.demo:
            raise _nothing_to_connect(is_demo=services.settings.demo)
    except IgfeedError as error:
        return _failed(error)
    outcome.forget(services)
    return _to_instagram(app.id, asks_again=another is not None)


def _to_instagram(app_id: str, *, asks_again: bool) -> Response:
    from igfeed.owner.connect import state  # noqa: PLC0415  as above
    from igfeed.owner.connect.addresses import redirect_address  # noqa: PLC0415  as above

    services = current()
    begun, back = state.begin(services, request.cookies.get(state.COOKIE)), redirect_address()
    response = _redirect(services.login.authorize_address(app_id, back, begun.state, asks_again=asks_again), 302)
    response.set_cookie(
        state.COOKIE,
        begun.cookie,
        max_age=state.STATE_LIFETIME,
        path=url_for("connect.start"),
        # By the address that Instagram sends the browser to: a proxy may have ended TLS and said nothing of it.
        secure=back.startswith("https:"),
        httponly=True,
        samesite="Lax",  # Strict would keep it back, because the browser comes from Instagram's page.
    )
    return response


@bp.get("/callback")
def callback() -> Response:
    """Back from Instagram, with a code or with a refusal.

    It is not behind the secret: the state shows that the owner has begun it in this browser.
    """
    from igfeed.owner.connect import state  # noqa: PLC0415  as above

    services = current()
    try:
        nonce = state.checked(services, request.args.get("state", ""), request.cookies.get(state.COOKIE))
    except state.StateRefused:
        return page_response("studio/notice.html", 400, notice="login_refused")
    # Browsers and proxies really call this twice. The second call must not undo what the first has done.
    if not state.is_first_use(services, nonce):
        return _to_studio()
    try:
        return _finish()
    except IgfeedError as error:
        return _failed(error)


@bp.get("/confirm")
@owner_page
def confirm() -> Response:
    """Asks whether to show another account from now on."""
    from igfeed.owner.connect import pending  # noqa: PLC0415  as above
    from igfeed.owner.connect.accounts import known_account  # noqa: PLC0415  as above

    try:
        login, known = pending.waiting(current()), known_account(current())
    except IgfeedError as error:
        return _failed(error)
    if login is None:
        return _to_studio()
    return page_response(
        "connect/another_account.html", new=login.username, old=known.username, form_token=form_token()
    )


@bp.post("/confirm")
@owner_form
def answer() -> str | Response:
    """The owner's answer. The posts that are shown stay until those of the new account are fetched."""
    from igfeed.owner.connect import pending, trip  # noqa: PLC0415  as above

    login = pending.take(current())
    if request.form.get("show") != "new":
        return "connect_kept"
    if login is None:
        return "too_late"
    try:
        trip.adopt(current(), login)
    except IgfeedError as error:
        return _failed(error)
    return "connected"


def _finish() -> Response:
    """The rest of the way to a stored token, for a state that was good. Raises an IgfeedError."""
    from igfeed.instagram.login import refusal  # noqa: PLC0415  as above
    from igfeed.owner.connect import app_credentials, pending, trip  # noqa: PLC0415  as above
    from igfeed.owner.connect.accounts import known_account  # noqa: PLC0415  as above
    from igfeed.owner.connect.addresses import redirect_address  # noqa: PLC0415  as above

    services, said = current(), request.args
    if "error" in said:
        raise refusal(said["error"], said.get("error_description", ""))
    app = app_credentials.credentials(services)
    if app is None:
        raise _nothing_to_connect()
    known = known_account(services)
    # Instagram's page ends its redirect in "#_", which some clients send along.
    login = trip.new_login(services, app, said.get("code", "").removesuffix("#_"), redirect_address())
    if known.is_other_than(login.username, login.ids):
        pending.keep(services, login)
        return _redirect(url_for("connect.confirm"), 303)
    trip.adopt(services, login)
    return to_studio("connected")


def _nothing_to_connect(*, is_demo: bool = False) -> LoginRefused:
    if is_demo:
        return LoginRefused("The sample account needs no login.", "Remove IGFEED_DEMO and start again.")
    return LoginRefused(
        "No app at Meta is set up yet.",
        "Set INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET, or type them into the studio.",
    )


def _failed(error: IgfeedError) -> Response:
    from igfeed.owner.connect import outcome  # noqa: PLC0415  as above

    outcome.record(current(), error)
    return to_studio("connect_failed")


def _to_studio() -> Response:
    return _redirect(url_for("studio.page"), 303)


def _redirect(address: str, status_code: int) -> Response:
    response = redirect(address, status_code)
    response.headers["Cache-Control"] = "no-store"
    # Flask's redirect is typed as Werkzeug's response, and makes ours.
    assert isinstance(response, Response)  # noqa: S101  as above
    return response
