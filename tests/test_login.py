"""Instagram's own login: the address of its page, and what its replies mean."""

from urllib.parse import parse_qs, urlsplit

import pytest

from igfeed.errors import (
    CodeSpent,
    InstagramError,
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
from igfeed.http.transport import Transport
from igfeed.instagram.login import Grant, InstagramLogin, refusal
from igfeed.models.app_credentials import AppCredentials
from tests.harness.leaks import told_by
from tests.servers.instagram import (
    WRONG_SECRET,
    Answer,
    FakeInstagram,
    Fault,
    api_error,
    close_after,
    html_error,
    invalid_json,
    login_error,
    reply,
    reset,
)

BACK = "https://feed.example/connect/callback"


@pytest.fixture
def login(instagram: FakeInstagram) -> InstagramLogin:
    return InstagramLogin(login_url=instagram.url, oauth_url=instagram.url, transport=Transport("igfeed/tests"))


@pytest.fixture
def app(instagram: FakeInstagram) -> AppCredentials:
    return AppCredentials(instagram.app_id, instagram.app_secret)


def grant(login: InstagramLogin, app: AppCredentials, instagram: FakeInstagram) -> Grant:
    return login.grant(app, instagram.issue_code(BACK), BACK)


def test_the_page_is_asked_for_one_permission_and_without_facebooks_login(login: InstagramLogin) -> None:
    query = parse_qs(urlsplit(login.authorize_address("123456", BACK, "the-state")).query)

    assert query == {
        "client_id": ["123456"],
        "redirect_uri": [BACK],
        "response_type": ["code"],
        "scope": ["instagram_business_basic"],
        "state": ["the-state"],
        "enable_fb_login": ["0"],
    }


def test_a_login_is_forced_for_another_account_only(login: InstagramLogin) -> None:
    address = login.authorize_address("123456", BACK, "the-state", asks_again=True)

    assert "force_reauth=true" in address
    assert "force_reauth" not in login.authorize_address("123456", BACK, "the-state")


@pytest.mark.parametrize("flat", [False, True], ids=["in a list", "flat"])
@pytest.mark.parametrize("account_id", ["27100000000000001", 27100000000000001, None], ids=repr)
@pytest.mark.parametrize(
    "permissions",
    [
        "instagram_business_basic",
        "instagram_business_basic, instagram_business_manage_comments",
        ["instagram_business_manage_comments", "instagram_business_basic"],
        None,
    ],
    ids=repr,
)
def test_every_shape_of_the_reply_is_read(
    login: InstagramLogin,
    app: AppCredentials,
    instagram: FakeInstagram,
    flat: bool,
    account_id: str | int | None,
    permissions: str | list[str] | None,
) -> None:
    instagram.code_reply_flat, instagram.login_id, instagram.permissions = flat, account_id, permissions

    found = grant(login, app, instagram)

    assert instagram.alive(found.token)
    assert found.account_id == (str(account_id) if account_id else None)


def test_the_code_and_the_secret_go_into_the_body_and_not_into_the_address(
    login: InstagramLogin, app: AppCredentials, instagram: FakeInstagram
) -> None:
    grant(login, app, instagram)

    (call,) = instagram.calls
    assert (call.method, call.path, call.headers["content-type"]) == (
        "POST",
        "/oauth/access_token",
        "application/x-www-form-urlencoded",
    )
    assert set(call.params) == {"client_id", "client_secret", "grant_type", "redirect_uri", "code"}


REFUSED: dict[str, tuple[Answer, type[InstagramError]]] = {
    "the secret is wrong, in an object": (WRONG_SECRET, WrongAppSecret),
    "the secret is wrong, flat": (login_error("Error validating client secret."), WrongAppSecret),
    "code used": (login_error("This authorization code has been used"), CodeSpent),
    "code not found": (login_error("Matching code was not found or was already used"), CodeSpent),
    "code expired": (login_error("This authorization code has expired."), CodeSpent),
    "another app": (login_error("Invalid platform app"), WrongAppId),
    "redirect": (
        login_error("Error validating verification code. Please make sure your redirect_uri is identical to the one"),
        WrongRedirect,
    ),
    "no tester": (login_error("Insufficient Developer Role"), NotATester),
    "personal": (login_error("The account must be a professional account"), PersonalAccount),
    "something new": (login_error("The moon is in the wrong place"), LoginRefused),
    "an object": (api_error(190, message="The moon is in the wrong place"), LoginRefused),
    "no text": (reply({"error_type": "OAuthException", "code": 400}, 400), LoginRefused),
    "a text elsewhere": (reply({"error": "nothing"}, 400), LoginRefused),
    "HTML 400": (html_error(400), LoginRefused),
    "HTML 502": (html_error(502), InstagramUnreachable),
    "a redirect": (Answer(302, headers={"Location": "https://elsewhere.example/"}), LoginRefused),
    "half a reply": (invalid_json(), UnexpectedAnswer),
    "an empty list": (reply({"data": []}), UnexpectedAnswer),
    "no token": (reply({"data": [{"user_id": 1}]}), UnexpectedAnswer),
    "a token with a space": (reply({"access_token": "IGAA x"}), UnexpectedAnswer),
    "the box unticked": (
        reply({"data": [{"access_token": "IGAAx", "permissions": "instagram_business_manage_comments"}]}),
        PermissionUnticked,
    ),
    "the box unticked, flat": (reply({"access_token": "IGAAx", "permissions": ["other"]}), PermissionUnticked),
}


@pytest.mark.parametrize("name", REFUSED)
def test_every_refusal_has_its_class_and_says_what_to_do_and_no_secret(
    login: InstagramLogin, app: AppCredentials, instagram: FakeInstagram, name: str
) -> None:
    answer, kind = REFUSED[name]
    instagram.fail("code", answer)
    code = instagram.issue_code(BACK)

    with pytest.raises(InstagramError) as caught:
        login.grant(app, code, BACK)

    assert type(caught.value) is kind
    assert caught.value.hint
    told = told_by(caught.value)
    assert [hidden for hidden in (code, app.secret, "feed.example") if hidden in told] == []
    assert instagram.count("code") == 1, "a code can be used once"


def test_what_instagram_says_about_an_unknown_refusal_is_repeated(
    login: InstagramLogin, app: AppCredentials, instagram: FakeInstagram
) -> None:
    instagram.fail("code", login_error(f"The moon of {instagram.app_secret} is in the wrong place"))

    with pytest.raises(LoginRefused, match="“The moon of … is in the wrong place”"):
        grant(login, app, instagram)


@pytest.mark.parametrize("fault", [reset(), close_after()], ids=["reset", "closed"])
def test_a_reply_that_is_lost_is_not_asked_for_again(
    login: InstagramLogin, app: AppCredentials, instagram: FakeInstagram, fault: Fault
) -> None:
    instagram.fail("code", fault)

    with pytest.raises(InstagramUnreachable) as caught:
        grant(login, app, instagram)

    assert instagram.app_secret not in told_by(caught.value)
    assert instagram.count("code") == 1


def test_a_code_is_good_for_one_token(login: InstagramLogin, app: AppCredentials, instagram: FakeInstagram) -> None:
    code = instagram.issue_code(BACK)
    login.grant(app, code, BACK)

    with pytest.raises(CodeSpent):
        login.grant(app, code, BACK)


def test_another_redirect_address_than_that_of_the_page_is_refused(
    login: InstagramLogin, app: AppCredentials, instagram: FakeInstagram
) -> None:
    with pytest.raises(WrongRedirect):
        login.grant(app, instagram.issue_code(f"{BACK}/"), BACK)


def test_what_comes_back_in_place_of_a_code_says_why() -> None:
    assert type(refusal("access_denied", "The user denied your request")) is LoginDenied
    assert type(refusal("invalid_scope", "Insufficient Developer Role")) is NotATester
    assert "“Something new”" in str(refusal("server_error", "Something new"))
