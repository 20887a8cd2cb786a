"""Instagram's login: leads the account's owner to its page, and exchanges the code that the page sends back.

This is OAuth 2 as Meta documents it ("Business Login for Instagram") and as recorded replies show it. The replies
differ from those of the API: an error is not nested, and its code is always 400. So the error's text decides. It is
English in all recorded replies.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from igfeed.errors import (
    CodeSpent,
    InstagramUnreachable,
    LoginDenied,
    LoginRefused,
    NotATester,
    PermissionUnticked,
    PersonalAccount,
    UnexpectedAnswer,
    WrongAppId,
    WrongAppSecret,
    WrongRedirect,
)
from igfeed.http.reply import Reply, TransportError
from igfeed.http.transport import Transport
from igfeed.instagram import error_message, parsing
from igfeed.models.app_credentials import AppCredentials

PERMISSION = "instagram_business_basic"

CODE_TIME_LIMIT = 15.0
"""Seconds for the exchange of a code. The owner waits for it."""

MAX_REPLY_BYTES = 64 * 1024

SERVER_ERRORS = range(500, 600)

REFUSALS: tuple[tuple[str, type[LoginRefused], str], ...] = (
    ("client.secret", WrongAppSecret, "The app's secret does not belong to its id."),
    ("redirect_uri", WrongRedirect, "The redirect address is not the one that is registered in the app."),
    ("platform app|client_id|application id", WrongAppId, "Instagram does not know this app id."),
    ("developer role|tester", NotATester, "The account has no role in the app yet."),
    ("personal|professional|business account", PersonalAccount, "The account is a personal one."),
    ("has been used|already used|not found|expired", CodeSpent, "This login was used already, or is too old."),
)
"""Patterns for the texts of refusals, each with its error and the error's message. The first match is taken.

Recorded texts are "Error validating client secret", "This authorization code has been used", "Matching code was not
found or was already used", "Invalid platform app" and "Insufficient Developer Role"."""


@dataclass(frozen=True)
class Grant:
    """The reply to a code: a token that is valid for an hour, and an id of the account, None if there was none."""

    token: str = field(repr=False)
    account_id: str | None = None


class InstagramLogin:
    """Threads may share it. It opens no connection before the first exchange.

    ``login_url`` is the origin of the page that people see, ``oauth_url`` that of the exchange.
    """

    def __init__(self, *, login_url: str, oauth_url: str, transport: Transport) -> None:
        self._login_url = login_url
        self._oauth_url = oauth_url
        self._transport = transport

    def authorize_address(self, app_id: str, redirect: str, state: str, *, asks_again: bool = False) -> str:
        """The address of the page that asks the account's owner. It sends the browser to ``redirect`` afterwards.

        ``asks_again``: Instagram asks for a login although somebody is logged in, so another account can be chosen.
        """
        # For a full page, never a popup: in a popup Instagram answers "400 Session Invalid" (integrators' threads).
        query = {
            "client_id": app_id,
            "redirect_uri": redirect,
            "response_type": "code",
            "scope": PERMISSION,
            "state": state,
            "enable_fb_login": "0",  # Without it the page offers Facebook's login too, which gives other tokens.
            **({"force_reauth": "true"} if asks_again else {}),
        }
        return f"{self._login_url}/oauth/authorize?{urlencode(query)}"

    def grant(self, app: AppCredentials, code: str, redirect: str) -> Grant:
        """The short-lived token for a code. ``redirect`` must be the address that the code was sent to, to the letter.

        It is never retried, because a code can be used only once. Raises an InstagramError.
        """
        form = {
            "client_id": app.id,
            "client_secret": app.secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect,
            "code": code,
        }
        url = f"{self._oauth_url}/oauth/access_token"
        try:
            reply = self._transport.post(url, form=form, seconds=CODE_TIME_LIMIT, most_bytes=MAX_REPLY_BYTES)
        except TransportError as error:
            failure = f"Instagram is out of reach: {error}."
        else:
            return _grant(_good_data(reply, (app.secret, code)))
        # Outside of the except block, so that the original exception is not its context.
        raise InstagramUnreachable(failure)


def refusal(error: str, text: str) -> LoginRefused:
    """The error for what Instagram sends back in place of a code: ``?error=…&error_description=…``."""
    if error == "access_denied":
        return LoginDenied("Access was not granted on Instagram's page.")
    return _refusal({"message": text}, ())


def _good_data(reply: Reply, secrets: tuple[str, ...]) -> dict[str, Any]:
    """The JSON object of a good reply. Raises the error that a bad one means."""
    try:
        data = json.loads(reply.body)
    except (ValueError, RecursionError):
        data = None
    data = data if isinstance(data, dict) else {}
    nested = data.get("error")
    # Most errors of this host are not nested. Some had an object "error", as those of the API have.
    error = nested if isinstance(nested, dict) else {"message": data.get("error_message")}
    if nested or "error_message" in data or "error_type" in data:
        raise _refusal(error, secrets)
    if reply.status in SERVER_ERRORS:
        raise InstagramUnreachable(f"Instagram has a temporary fault (HTTP {reply.status}).")
    if reply.status >= 300:  # noqa: PLR2004  neither a redirect nor an error has a token
        raise LoginRefused(f"Instagram refused the login (HTTP {reply.status}).")
    return data


def _refusal(error: dict[str, Any], secrets: tuple[str, ...]) -> LoginRefused:
    said = error.get("message")
    text = said if isinstance(said, str) else ""
    for pattern, kind, sentence in REFUSALS:
        if re.search(pattern, text, re.IGNORECASE):
            return kind(sentence)
    quoted = error_message.sentence(error, secrets)
    return LoginRefused("Instagram refused the login." + (f" It says: “{quoted}”" if quoted else ""))


def _grant(data: dict[str, Any]) -> Grant:
    """Raises UnexpectedAnswer if there is no token, and PermissionUnticked if the permission is missing."""
    items = data.get("data")  # Meta's documentation has a list; recorded replies are flat.
    if isinstance(items, list):
        data = items[0] if items and isinstance(items[0], dict) else {}
    token, permissions = data.get("access_token"), _permissions(data.get("permissions"))
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise UnexpectedAnswer("Instagram sent no token that can be read.")
    if permissions is not None and PERMISSION not in permissions:
        raise PermissionUnticked("The permission to read the profile and the posts was not granted.")
    return Grant(token, parsing.account_id(data.get("user_id")))


def _permissions(value: object) -> set[str] | None:
    """The granted permissions, from a list or a text with commas (both were seen). None if the reply has none."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list) or not value:
        return None
    return {each.strip() for each in value if isinstance(each, str)}
