"""The routes of a login.

The studio links to ``connect.start``, with ``another=1`` to choose another account, and with ``new=NAME`` for an
account that is to be added. A login ends at the studio with ``done=connected``, ``done=connect_kept`` or
``done=connect_failed``, a new account's with ``done=account_added`` or ``done=account_not_added``. ``login_failure``
says why it failed.
"""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, redirect, request, url_for

from igfeed.accounts.directory import current_accounts
from igfeed.errors import IgfeedError, LoginRefused
from igfeed.owner.pages.account_addresses import address_of, feed_path
from igfeed.owner.pages.forms import form_token, owner_form, to_studio_of
from igfeed.owner.pages.page import owner_page, page_response
from igfeed.services import current

if TYPE_CHECKING:
    from igfeed.owner.connect.code_exchange import NewLogin
    from igfeed.owner.connect.target import Target

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
    from igfeed.owner.connect.target import target_of  # noqa: PLC0415  as above

    services, query = current(), request.args
    if not is_at_own_host() and "at" not in query:
        # Redirected once only: behind a proxy that changes the host, the browser would never seem to be there.
        asked = url_for("connect.start", another=query.get("another"), new=query.get("new"), at="own-host")
        return _redirect(absolute(asked), 302)
    try:
        services.check_startup()
        target = target_of(query.get("new", services.account))
        app = app_credentials.credentials(current_accounts().default)
        if app is None or services.settings.demo:
            raise _nothing_to_connect(is_demo=services.settings.demo)
        pending.drop(target.home)  # A new login is the answer to the question about an earlier one.
    except IgfeedError as error:
        return _failed(error)
    login_failure.forget(target.home)
    # For a new account Instagram has to ask: the browser is usually logged in with one that is shown already.
    return _to_instagram(app.id, target, asks_again="another" in query or target.adds is not None)


def _to_instagram(app_id: str, target: "Target", *, asks_again: bool) -> Response:
    from igfeed.owner.connect import state  # noqa: PLC0415  as above
    from igfeed.owner.connect.addresses import redirect_address  # noqa: PLC0415  as above

    services = current()
    begun, return_to = state.begin(services, request.cookies.get(state.COOKIE), target.name), redirect_address()
    response = _redirect(services.login.authorize_address(app_id, return_to, begun.state, asks_again=asks_again), 302)
    response.set_cookie(
        state.COOKIE,
        begun.cookie,
        max_age=state.STATE_LIFETIME,
        path=address_of(None, "connect.start"),  # Instagram sends all accounts back to the default one's address.
        # Not by this request's scheme: a proxy may have ended TLS without telling us.
        secure=return_to.startswith("https:"),
        httponly=True,
        samesite="Lax",  # With "Strict" the browser would not send it, because it comes from Instagram's page.
    )
    return response


@bp.get("/callback")
def callback() -> Response:
    """Instagram sends the browser here after the login, with a code or with an error, whatever account it is for.

    It does not ask for the secret, because the state proves that the owner has begun the login in this browser.
    """
    from igfeed.owner.connect import state  # noqa: PLC0415  as above
    from igfeed.owner.connect.target import target_of  # noqa: PLC0415  as above

    services = current_accounts().default
    try:
        returned = state.checked(services, request.args.get("state", ""), request.cookies.get(state.COOKIE))
    except state.StateRefused:
        return page_response("studio/notice.html", 400, notice="login_refused")
    target = None
    try:
        target = target_of(returned.account)
        # Some browsers and proxies call this twice. The second call would fail, and would hide the first one's success.
        if not state.is_first_use(services, returned.nonce):
            return to_studio_of(target.home.account)
        return _exchange(target)
    except IgfeedError as error:
        return _failed(error, target)


@bp.get("/confirm")
@owner_page
def confirm() -> Response:
    """Asks whether to show another account from now on, or an account at a second address."""
    from igfeed.owner.connect import pending  # noqa: PLC0415  as above
    from igfeed.owner.connect.target import target_of  # noqa: PLC0415  as above

    try:
        login = pending.waiting(current())
        if login is None:
            return to_studio_of(current().account)
        target = target_of(login.adds or current().account)
        return _question(target, login)
    except IgfeedError as error:
        return _failed(error)


def _question(target: "Target", login: "NewLogin") -> Response:
    from igfeed.owner.connect.addresses import absolute  # noqa: PLC0415  as above

    known, elsewhere = target.known(), target.shown_elsewhere(login)
    there = absolute(address_of(elsewhere.account, "widget.index")).partition("//")[2] if elsewhere else None
    words: dict[str, Any] = {"new": login.username, "there": there, "form_token": form_token()}
    if known.is_other_than(login.username, login.ids):
        return page_response("connect/another_account.html", old=known.username, **words)
    again = url_for("connect.start", new=target.adds, another=1)
    return page_response("connect/shown_already.html", here=feed_path(target.name), again=again, **words)


@bp.post("/confirm")
@owner_form
def answer() -> Response:
    """The owner's answer. The posts that are shown stay until those of the new account are fetched."""
    from igfeed.owner.connect import pending  # noqa: PLC0415  as above
    from igfeed.owner.connect.target import target_of  # noqa: PLC0415  as above

    account, login = current().account, pending.take(current())
    if request.form.get("show") != "new":
        return to_studio_of(account, "account_not_added" if login and login.adds else "connect_kept")
    if login is None:
        return to_studio_of(account, "too_late")
    target = None
    try:
        target = target_of(login.adds or account)
        return _adopt(target, login)
    except IgfeedError as error:
        return _failed(error, target)


def _exchange(target: "Target") -> Response:
    """Exchange the code and use the token, or ask the owner first if its account is another one.

    Raises an IgfeedError.
    """
    from igfeed.instagram.login import refusal  # noqa: PLC0415  as above
    from igfeed.owner.connect import app_credentials, code_exchange, pending  # noqa: PLC0415  as above
    from igfeed.owner.connect.addresses import redirect_address  # noqa: PLC0415  as above

    query = request.args
    if "error" in query:
        raise refusal(query["error"], query.get("error_description", ""))
    app = app_credentials.credentials(current_accounts().default)
    if app is None:
        raise _nothing_to_connect()
    known = target.known()
    # Instagram appends "#_" to the redirect, and some clients send it to us as a part of the code.
    code, return_to = query.get("code", "").removesuffix("#_"), redirect_address()
    login = code_exchange.new_login(target.home, app, code, return_to, adds=target.adds)
    if known.is_account_of(login.username, login.ids):
        return _adopt(target, login)  # Also if it is shown elsewhere too: the owner has been asked about that before.
    if known.is_other_than(login.username, login.ids) or target.shown_elsewhere(login):
        pending.keep(target.home, login)
        return _redirect(address_of(target.home.account, "connect.confirm"), 303)
    return _adopt(target, login)


def _adopt(target: "Target", login: "NewLogin") -> Response:
    target.adopt(login)
    return to_studio_of(target.name, "account_added" if target.adds else "connected")


def _nothing_to_connect(*, is_demo: bool = False) -> LoginRefused:
    if is_demo:
        return LoginRefused("The sample account needs no login.", "Remove IGFEED_DEMO and start again.")
    return LoginRefused(
        "No app at Meta is set up yet.",
        "Set INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET, or type them into the studio.",
    )


def _failed(error: IgfeedError, target: "Target | None" = None) -> Response:
    """To the studio that can say why. Without a ``target`` that is the one of the request."""
    from igfeed.owner.connect import login_failure  # noqa: PLC0415  as above

    services, adds = (target.home, target.adds) if target else (current(), None)
    login_failure.record(services, error, adds)
    return to_studio_of(services.account, "connect_failed")


def _redirect(address: str, status_code: int) -> Response:
    response = redirect(address, status_code)
    response.headers["Cache-Control"] = "no-store"
    # Flask's redirect is typed as Werkzeug's response, and makes ours.
    assert isinstance(response, Response)  # noqa: S101  as above
    return response
