"""The routes of a login.

The studio links to ``connect.start``, with ``another=1`` to choose another account. A login ends at the studio with
``done=connected``, ``done=connect_kept`` or ``done=connect_failed``. ``login_failure`` says why it failed.
"""

from flask import Blueprint, Flask, Response, redirect, request, url_for

from igfeed.errors import IgfeedError, LoginRefused
from igfeed.owner.pages.forms import form_token, owner_form, to_studio
from igfeed.owner.pages.page import owner_page, page_response
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
    """Redirects to Instagram's login page, with a state that only this browser can bring back."""
    # Imported here, because processes for visitors need none of this and would start more slowly.
    from igfeed.owner.connect import app_credentials, login_failure, pending  # noqa: PLC0415  as above
    from igfeed.owner.connect.addresses import absolute, is_at_own_host  # noqa: PLC0415  as above

    services, another = current(), request.args.get("another")
    if not is_at_own_host() and "at" not in request.args:
        # Redirected once only: behind a proxy that changes the host, the browser would never seem to be there.
        return _redirect(absolute(url_for("connect.start", another=another, at="own-host")), 302)
    try:
        services.check_startup()
        app = app_credentials.credentials(services)
        if app is None or services.settings.demo:
            raise _nothing_to_connect(is_demo=services.settings.demo)
        pending.drop(services)  # A new login is the answer to the question about an earlier one.
    except IgfeedError as error:
        return _failed(error)
    login_failure.forget(services)
    return _to_instagram(app.id, asks_again=another is not None)


def _to_instagram(app_id: str, *, asks_again: bool) -> Response:
    from igfeed.owner.connect import state  # noqa: PLC0415  as above
    from igfeed.owner.connect.addresses import redirect_address  # noqa: PLC0415  as above

    services = current()
    begun, return_to = state.begin(services, request.cookies.get(state.COOKIE)), redirect_address()
    response = _redirect(services.login.authorize_address(app_id, return_to, begun.state, asks_again=asks_again), 302)
    response.set_cookie(
        state.COOKIE,
        begun.cookie,
        max_age=state.STATE_LIFETIME,
        path=url_for("connect.start"),
        # Not by this request's scheme: a proxy may have ended TLS without telling us.
        secure=return_to.startswith("https:"),
        httponly=True,
        samesite="Lax",  # With "Strict" the browser would not send it, because it comes from Instagram's page.
    )
    return response


@bp.get("/callback")
def callback() -> Response:
    """Instagram sends the browser here after the login, with a code or with an error.

    It does not ask for the secret, because the state proves that the owner has begun the login in this browser.
    """
    from igfeed.owner.connect import state  # noqa: PLC0415  as above

    services = current()
    try:
        nonce = state.checked(services, request.args.get("state", ""), request.cookies.get(state.COOKIE))
    except state.StateRefused:
        return page_response("studio/notice.html", 400, notice="login_refused")
    # Some browsers and proxies call this twice. The second call would fail, and would hide the first one's success.
    if not state.is_first_use(services, nonce):
        return _to_studio()
    try:
        return _exchange()
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
    from igfeed.owner.connect import code_exchange, pending  # noqa: PLC0415  as above

    login = pending.take(current())
    if request.form.get("show") != "new":
        return "connect_kept"
    if login is None:
        return "too_late"
    try:
        code_exchange.adopt(current(), login)
    except IgfeedError as error:
        return _failed(error)
    return "connected"


def _exchange() -> Response:
    """Exchange the code and use the token, or ask the owner first if its account is another one.

    Raises an IgfeedError.
    """
    from igfeed.instagram.login import refusal  # noqa: PLC0415  as above
    from igfeed.owner.connect import app_credentials, code_exchange, pending  # noqa: PLC0415  as above
    from igfeed.owner.connect.accounts import known_account  # noqa: PLC0415  as above
    from igfeed.owner.connect.addresses import redirect_address  # noqa: PLC0415  as above

    services, query = current(), request.args
    if "error" in query:
        raise refusal(query["error"], query.get("error_description", ""))
    app = app_credentials.credentials(services)
    if app is None:
        raise _nothing_to_connect()
    known = known_account(services)
    # Instagram appends "#_" to the redirect, and some clients send it to us as a part of the code.
    login = code_exchange.new_login(services, app, query.get("code", "").removesuffix("#_"), redirect_address())
    if known.is_other_than(login.username, login.ids):
        pending.keep(services, login)
        return _redirect(url_for("connect.confirm"), 303)
    code_exchange.adopt(services, login)
    return to_studio("connected")


def _nothing_to_connect(*, is_demo: bool = False) -> LoginRefused:
    if is_demo:
        return LoginRefused("The sample account needs no login.", "Remove IGFEED_DEMO and start again.")
    return LoginRefused(
        "No app at Meta is set up yet.",
        "Set INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET, or type them into the studio.",
    )


def _failed(error: IgfeedError) -> Response:
    from igfeed.owner.connect import login_failure  # noqa: PLC0415  as above

    login_failure.record(current(), error)
    return to_studio("connect_failed")


def _to_studio() -> Response:
    return _redirect(url_for("studio.page"), 303)


def _redirect(address: str, status_code: int) -> Response:
    response = redirect(address, status_code)
    response.headers["Cache-Control"] = "no-store"
    # Flask's redirect is typed as Werkzeug's response, and makes ours.
    assert isinstance(response, Response)  # noqa: S101  as above
    return response
