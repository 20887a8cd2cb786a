"""Several accounts for the owner: to connect, add and remove one, the studio's switch, alerts, Meta's callbacks."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from igfeed import create_app
from igfeed.accounts.directory import accounts_of
from igfeed.config import LANGUAGES
from igfeed.errors import StoreError, UnknownAccount
from igfeed.owner import upkeep
from igfeed.owner.connect import app_credentials, login_failure
from igfeed.owner.export.command import group
from igfeed.owner.pages.account_addresses import hint_for
from igfeed.owner.pages.words import words_of
from igfeed.owner.status import report
from igfeed.owner.terminal.command_group import DiscreetCommand
from igfeed.owner.withdrawal import effects
from tests.harness.owner import CRON, OWNER
from tests.harness.stores import innermost
from tests.harness.visitor import Visitor
from tests.servers.instagram import dead_token, image
from tests.servers.receivers import Webhook

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from igfeed.accounts.directory import Accounts
    from igfeed.models import Token
    from igfeed.services import Services
    from tests.conftest import MakeServices
    from tests.harness.clock import MovingClock
    from tests.servers.instagram import Account, FakeInstagram

REJECTED = dead_token(460, "The user changed the password.")


@pytest.fixture
def environ(environ: dict[str, str], instagram: FakeInstagram) -> dict[str, str]:
    """A deployment that knows its app at Meta."""
    instagram.posts[:], instagram.picture_size, instagram.login_id = [image()], (48, 60), None
    app = {"INSTAGRAM_APP_ID": instagram.app_id, "INSTAGRAM_APP_SECRET": instagram.app_secret}
    return {**environ, **app, "INSTAGRAM_OAUTH_URL": instagram.url, "INSTAGRAM_LOGIN_URL": instagram.url}


@pytest.fixture
def accounts(app: Flask) -> Accounts:
    return accounts_of(app)


@pytest.fixture
def nord_prints(instagram: FakeInstagram) -> Account:
    return instagram.add_account("nord.prints", [image()])


@pytest.fixture
def prints(
    instagram: FakeInstagram, nord_prints: Account, services: Services, accounts: Accounts, token: Token
) -> Services:
    """The default account shows @studio.nord, and the account "prints" shows @nord.prints."""
    services.feed.fetch()
    value = instagram.issue(age=timedelta(days=2), account=nord_prints)
    with accounts.setting_up("prints") as others:
        upkeep.set_up(others, value, expires_in=timedelta(days=50))
    return others


def connect(client: FlaskClient, path: str) -> TestResponse:
    """Press the button, press Allow at Instagram, and come back."""
    begun = client.get(path, headers=OWNER)
    assert begun.status_code == 302, begun.headers.get("Location")
    back = requests.get(begun.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
    return client.get(back.removeprefix("http://localhost").partition("#")[0])


def ends_at(response: TestResponse) -> str:
    assert (response.status_code, response.headers["Cache-Control"]) == (303, "no-store")
    return response.headers["Location"]


def page_of(client: FlaskClient, path: str = "/studio") -> str:
    response = client.get(path, headers=OWNER)
    assert response.status_code == 200, response.text
    return unescape(response.text)


def send(client: FlaskClient, path: str, page: str | None = None, **form: str) -> TestResponse:
    """Send a form with the token of a page that was just loaded."""
    form_token = re.findall(r'name="form_token" value="([^"]+)"', page_of(client, page or "/studio"))[0]
    return client.post(path, data={"form_token": form_token, **form}, headers=OWNER)


def value_of(services: Services) -> str | None:
    token = services.tokens.report().token
    return token.value if token else None


def keys_below(services: Services, prefix: str) -> list[str]:
    """The keys of the embedded store that begin so."""
    with sqlite3.connect(services.settings.store_path) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        keys = [str(row[0]) for table in tables for row in database.execute(f"SELECT key FROM {table}")]
    return [key for key in keys if key.startswith(prefix)]


# Connect for another account


def test_every_login_comes_back_to_one_address_and_ends_at_its_own_account(
    client: FlaskClient, prints: Services, services: Services, instagram: FakeInstagram, nord_prints: Account
) -> None:
    before = value_of(prints), value_of(services)
    instagram.logs_in = nord_prints
    begun = client.get("/prints/connect", headers=OWNER)

    assert "Path=/connect;" in f"{begun.headers['Set-Cookie']};"
    query = parse_qs(urlsplit(begun.headers["Location"]).query)
    assert query["redirect_uri"] == ["http://localhost/connect/callback"]
    assert ends_at(connect(client, "/prints/connect")) == "/prints/studio?done=connected"
    assert value_of(prints) != before[0]
    assert value_of(services) == before[1]


def test_a_failed_login_is_said_in_the_studio_of_its_account_only(
    client: FlaskClient, prints: Services, services: Services, instagram: FakeInstagram
) -> None:
    instagram.user_denies = True

    assert ends_at(connect(client, "/prints/connect")) == "/prints/studio?done=connect_failed"
    assert login_failure.last_failure(prints)
    assert login_failure.last_failure(services) is None
    sentence = words_of("en").connection.failed.partition("{")[0]
    assert [sentence in page_of(client, path) for path in ("/prints/studio", "/studio")] == [True, False]


def test_another_account_is_asked_about_below_the_name(
    client: FlaskClient, prints: Services, instagram: FakeInstagram
) -> None:
    instagram.logs_in = instagram.add_account("atelier.sol", [image()])

    assert ends_at(connect(client, "/prints/connect")) == "/prints/connect/confirm"
    page = page_of(client, "/prints/connect/confirm")
    assert "@atelier.sol" in page
    assert "@nord.prints" in page
    assert "already" not in page
    answered = send(client, "/prints/connect/confirm", "/prints/connect/confirm", show="new")
    assert ends_at(answered) == "/prints/studio?done=connected"
    snapshot = prints.feed.newest()
    assert snapshot
    assert snapshot.profile.username == "atelier.sol"


def test_whoever_asks_about_another_account_also_says_where_that_is_shown_already(
    client: FlaskClient, prints: Services
) -> None:
    connect(client, "/prints/connect")  # Instagram takes the browser's login, which is that of the default account.

    page = page_of(client, "/prints/connect/confirm")
    assert "Show another account?" in page
    assert "The posts of @studio.nord are shown at localhost/ already." in page


def test_the_app_that_is_typed_into_any_studio_is_that_of_all_accounts(
    make_services: MakeServices, prints: Services, instagram: FakeInstagram
) -> None:
    services = make_services(INSTAGRAM_APP_ID="", INSTAGRAM_APP_SECRET="")
    client = Visitor(create_app(services=services))
    typed = {"app_id": instagram.app_id, "app_secret": instagram.app_secret}

    assert "done=app_saved" in ends_at(send(client, "/prints/studio/connection/app", "/prints/studio", **typed))
    assert app_credentials.credentials(services)
    for path in ("/studio", "/prints/studio"):
        page = page_of(client, path)
        assert f'value="{instagram.app_id}"' in page, path
        assert "<code>http://localhost/connect/callback</code>" in page, path


# Adding an account


def test_an_account_is_added_by_a_name_and_a_login(
    client: FlaskClient, accounts: Accounts, services: Services, token: Token, instagram: FakeInstagram
) -> None:
    services.feed.fetch()
    step = send(client, "/studio/accounts/add", name=" /Prints/ ")
    assert step.status_code == 200
    assert 'href="/connect?new=prints"' in step.text
    assert "flask igfeed --account prints setup-token" in step.text
    assert accounts.names() == ()

    instagram.logs_in = instagram.add_account("nord.prints", [image()])
    assert "force_reauth=true" in client.get("/connect?new=prints", headers=OWNER).headers["Location"]
    assert ends_at(connect(client, "/connect?new=prints")) == "/prints/studio?done=account_added"
    assert accounts.names() == ("prints",)
    assert "@nord.prints" in client.get("/prints/").text
    assert value_of(services) == token.value
    assert words_of("en").results.account_added in page_of(client, "/prints/studio?done=account_added")


def test_a_login_that_is_given_up_leaves_no_account_and_the_studio_says_why(
    client: FlaskClient, accounts: Accounts, services: Services, token: Token, instagram: FakeInstagram
) -> None:
    services.feed.fetch()
    instagram.user_denies = True

    assert ends_at(connect(client, "/connect?new=prints")) == "/studio?done=connect_failed"
    assert accounts.names() == ()
    assert keys_below(services, "account:") == []
    page = page_of(client)
    assert "The login for /prints/ did not work" in page.partition('id="accounts"')[2]
    assert words_of("en").connection.failed.partition("{")[0] not in page
    assert value_of(services) == token.value


REFUSED = {"": "bad", "two words": "bad", "-a": "bad", "a" * 31: "bad", "ä": "bad", "studio": "own", "prints": "taken"}


def test_a_name_that_cannot_be_is_kept_and_said_in_the_owners_language(
    make_services: MakeServices, prints: Services
) -> None:
    for code in LANGUAGES:
        client = Visitor(create_app(services=make_services(IGFEED_LANGUAGE=code)))
        for typed, reason in REFUSED.items() if code == "en" else [("studio", "own")]:
            response = send(client, "/prints/studio/accounts/add", "/prints/studio", name=typed)
            assert response.status_code == 422
            assert words_of(code).accounts.refusals[reason] in unescape(response.text), typed
            assert f'name="name" value="{typed}"' in response.text


def test_without_an_app_the_way_is_a_command(make_services: MakeServices, services: Services, token: Token) -> None:
    client = Visitor(create_app(services=make_services(INSTAGRAM_APP_ID="", INSTAGRAM_APP_SECRET="")))
    services.feed.fetch()

    step = send(client, "/studio/accounts/add", name="prints").text

    assert "flask igfeed --account prints setup-token" in step
    assert "/connect" not in step


def test_posts_that_are_shown_already_are_shown_a_second_time_only_if_the_owner_says_so(
    client: FlaskClient, accounts: Accounts, services: Services, token: Token
) -> None:
    services.feed.fetch()

    assert ends_at(connect(client, "/connect?new=twin")) == "/connect/confirm"
    page = page_of(client, "/connect/confirm")
    assert "Show @studio.nord a second time?" in page
    assert "shown at localhost/ already" in page
    assert 'href="/connect?new=twin&another=1"' in page
    assert ends_at(send(client, "/connect/confirm", "/connect/confirm", show="old")) == "/studio?done=account_not_added"
    assert (accounts.names(), keys_below(services, "account:")) == ((), [])

    connect(client, "/connect?new=twin")
    answered = send(client, "/connect/confirm", "/connect/confirm", show="new")
    assert ends_at(answered) == "/twin/studio?done=account_added"
    assert ends_at(connect(client, "/twin/connect")) == "/twin/studio?done=connected", "asked once"


# Removing an account


def test_a_named_account_is_removed_after_a_question_and_nothing_of_it_stays(
    client: FlaskClient, accounts: Accounts, prints: Services, services: Services, token: Token
) -> None:
    question = "/prints/studio/accounts/remove"
    assert f'href="{question}"' in page_of(client, "/prints/studio")
    assert "@nord.prints" in page_of(client, question)
    assert client.post(question, headers=OWNER).status_code == 403
    assert accounts.names() == ("prints",)

    assert ends_at(send(client, question, question)) == "/studio?done=account_removed"
    assert accounts.names() == ()
    assert keys_below(services, "account:") == []
    assert client.get("/prints/").status_code == 404
    assert value_of(services) == token.value


def test_the_default_account_cannot_be_removed(client: FlaskClient, prints: Services, token: Token) -> None:
    assert "accounts/remove" not in page_of(client)
    assert client.get("/studio/accounts/remove", headers=OWNER).status_code == 404
    assert send(client, "/studio/accounts/remove").status_code == 404


# The studio


def test_with_one_account_there_is_no_switch(client: FlaskClient, services: Services, token: Token) -> None:
    services.feed.fetch()
    page = page_of(client)

    assert "switcher" not in page.partition("<body>")[2].partition("<script>")[0]
    assert 'class="row"' not in page
    assert 'action="/studio/accounts/add"' in page


def rows(page: str) -> list[tuple[str, str, str]]:
    """The accounts in the list at the foot: their studio, their name, how they are."""
    foot = page.partition('id="accounts"')[2]
    found = re.findall(
        r'<a class="row" href="([^"]+)".*?class="name">([^<]+)<.*?class="state \w+">([^<]+)<', foot, re.DOTALL
    )
    return [(studio, name, state) for studio, name, state in found]


def test_the_switch_has_every_account_with_its_state(
    client: FlaskClient, prints: Services, instagram: FakeInstagram, clock: MovingClock
) -> None:
    instagram.fail("media", REJECTED)
    with pytest.raises(Exception, match="rejected"):
        prints.feed.fetch()
    instagram.heal()

    listed = [("/studio", "@studio.nord", "Well"), ("/prints/studio", "@nord.prints", "Needs you")]
    assert rows(page_of(client)) == rows(page_of(client, "/prints/studio")) == listed
    summaries = [page_of(client, path).partition("</summary>")[0] for path in ("/studio", "/prints/studio")]
    assert ["@nord.prints: Needs you" in each for each in summaries] == [True, False], "the other one is well"


def test_what_goes_wrong_with_one_account_takes_the_studio_of_another_not_away(
    client: FlaskClient, prints: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(prints.tokens, "report", fail)

    assert [state for _, _, state in rows(page_of(client))] == ["Well", "Works, with a flaw"]


def test_while_nobody_knows_the_accounts_the_studio_says_that_the_database_is_away(
    make_services: MakeServices, prints: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = make_services()

    def fail(*keys: object) -> None:
        raise StoreError("The store does not answer.")

    monkeypatch.setattr(innermost(services.store), "get", fail)
    monkeypatch.setattr(innermost(services.store), "get_all", fail)
    monkeypatch.setattr(innermost(services.store), "get_if_changed", fail)
    page = page_of(Visitor(create_app(services=services)), "/prints/studio")

    assert f"<h1>{words_of('en').health.store_away.title}</h1>" in page
    assert words_of("en").accounts.unknown in page


def test_every_address_of_a_studio_is_that_of_its_account(client: FlaskClient, prints: Services) -> None:
    page = page_of(client, "/prints/studio")
    shared = ("/static/", "/studio", "/media/")

    found = re.findall(r'(?:href|src|action|formaction|data-preview|data-snippets)="(/[^"]*)"', page)
    others = {each for each in found if not each.startswith("/prints/")}
    assert {each for each in others if not each.startswith(shared)} == set()
    assert {each for each in others if each.startswith("/studio")} == {"/studio"}, "the switch"
    assert 'src="http://localhost/prints/embed.js"' in page
    assert 'href="/prints/connect"' in page
    assert "/prints/media/" in client.get("/prints/studio/preview", headers=OWNER).text
    assert "http://localhost/prints/" in client.get("/prints/studio/snippets?columns=3", headers=OWNER).text


def test_below_a_prefix_the_switch_leads_to_studios_below_it(client: FlaskClient, prints: Services) -> None:
    page = client.get("/prints/studio", headers=OWNER, environ_overrides={"SCRIPT_NAME": "/feeds"}).text

    assert [studio for studio, _, _ in rows(page)] == ["/feeds/studio", "/feeds/prints/studio"]
    assert "http://localhost/feeds/connect/callback" in page


def test_a_button_changes_its_account_only(
    client: FlaskClient, prints: Services, services: Services, instagram: FakeInstagram
) -> None:
    instagram.forget_calls()

    assert ends_at(send(client, "/prints/studio/renew", "/prints/studio")).startswith("/prints/studio?done=")
    calls = [call.params.get("access_token") for call in instagram.calls]
    assert calls
    assert value_of(services) not in calls


# Hints, alerts, privacy


def test_a_hint_names_the_studio_and_the_command_of_its_account(
    client: FlaskClient, prints: Services, services: Services
) -> None:
    prints.tokens.forget()
    services.tokens.forget()

    assert "(/prints/studio)" in (report(prints).hint or "")
    assert "`flask igfeed --account prints setup-token`" in (report(prints).hint or "")
    assert "(/studio)" in (report(services).hint or "")
    cron = json.loads(client.get(CRON, headers=OWNER).text)
    assert ("(/studio)" in cron["hint"], "(/prints/studio)" in cron["accounts"]["prints"]["hint"]) == (True, True)
    page = client.get("/prints/studio", headers=OWNER, environ_overrides={"SCRIPT_NAME": "/feeds"}).text
    assert "(/feeds/prints/studio)" in page
    command = client.application.test_cli_runner().invoke(args=["igfeed", "--account", "prints", "refresh"])
    assert "`flask igfeed --account prints setup-token`" in command.output


def test_a_hint_names_the_account_in_each_command_that_takes_one_and_in_no_other() -> None:
    for name, command in group.commands.items():
        takes_one = isinstance(command, DiscreetCommand) and command.account != "none"
        expected = f"`flask igfeed --account prints {name}`" if takes_one else f"`flask igfeed {name}`"
        assert hint_for("prints", f"`flask igfeed {name}`") == expected

    assert hint_for("prints", UnknownAccount.hint) == UnknownAccount.hint


def test_an_alert_is_about_one_account_and_leads_to_its_studio(
    make_services: MakeServices, prints: Services, instagram: FakeInstagram, clock: MovingClock
) -> None:
    with Webhook() as webhook:
        services = make_services(IGFEED_ALERTS=webhook.address(), BASE_URL="https://feed.example")
        client = Visitor(create_app(services=services))
        clock.forward(hours=2)
        instagram.fail("media", REJECTED, times=1)
        client.get("/prints/embed", environ_overrides={"SCRIPT_NAME": "/feeds"})
        client.get("/embed")

        assert webhook.titles == ["Your Instagram feed /prints/ needs you"]
        lines = webhook.alerts[0]["message"].splitlines()
        assert lines[0] == "The access token of @nord.prints was rejected."
        assert "Connect again: https://feed.example/feeds/prints/studio" in lines
        assert services.store.get("alerts:v1") is None, "each account has an episode of its own"


def test_one_test_alert_is_for_all_accounts(make_services: MakeServices, prints: Services) -> None:
    with Webhook() as webhook:
        client = Visitor(create_app(services=make_services(IGFEED_ALERTS=webhook.address())))
        failed = words_of("en").cards.alerts.failed
        webhook.status = 500
        send(client, "/prints/studio/test-alert", "/prints/studio")
        said = [failed in page_of(client, path) for path in ("/studio", "/prints/studio")]
        webhook.status = 200
        send(client, "/studio/test-alert")

        assert (said, len(webhook.alerts)) == ([True, True], 1)
        assert failed not in page_of(client, "/prints/studio")


def test_the_privacy_page_speaks_of_its_account(client: FlaskClient, prints: Services) -> None:
    pages = [client.get(path).text for path in ("/privacy", "/prints/privacy")]

    assert ["nord.prints" in page for page in pages] == [False, True]
    assert ["studio.nord" in page for page in pages] == [True, False]


# Meta's callbacks


def call(client: FlaskClient, what: str, signed: str) -> TestResponse:
    return client.post(f"/connect/{what}", data={"signed_request": signed})


def told(response: TestResponse) -> dict[str, str]:
    assert response.status_code == 200
    return dict(json.loads(response.text))


def test_metas_callbacks_find_the_account_by_any_of_its_ids(
    client: FlaskClient,
    prints: Services,
    services: Services,
    instagram: FakeInstagram,
    nord_prints: Account,
    token: Token,
) -> None:
    assert call(client, "deauthorize", instagram.signed_request("24500000000000777")).status_code == 200
    assert (bool(value_of(prints)), value_of(services)) == (True, token.value)

    call(client, "deauthorize", instagram.signed_request(nord_prints.profile["user_id"]))
    assert (value_of(prints), value_of(services)) == (None, token.value)
    assert client.get("/prints/").status_code == 200, "the posts stay"


def test_a_deletion_takes_one_accounts_data_and_leaves_its_name(
    client: FlaskClient,
    prints: Services,
    services: Services,
    accounts: Accounts,
    instagram: FakeInstagram,
    nord_prints: Account,
    token: Token,
) -> None:
    answer = call(client, "delete", instagram.signed_request(nord_prints.profile["id"]))

    told(answer)
    assert (value_of(prints), prints.feed.newest(), accounts.names()) == (None, None, ("prints",))
    assert services.feed.newest()
    code = told(answer)["confirmation_code"]
    assert told(answer)["url"] == f"http://localhost/connect/deletion/{code}"
    assert client.get(f"/connect/deletion/{code}").status_code == 200
    again = call(client, "delete", instagram.signed_request(nord_prints.profile["id"]))
    assert told(again) == told(answer)


def test_a_login_that_waits_for_an_answer_is_deleted_with_the_data_of_its_user(
    client: FlaskClient, prints: Services, services: Services, instagram: FakeInstagram
) -> None:
    sol = instagram.logs_in = instagram.add_account("atelier.sol", [image()])
    connect(client, "/prints/connect")
    call(client, "delete", instagram.signed_request("24500000000000777"))
    assert prints.store.get("connect-pending:v1"), "somebody else's request"

    code = told(call(client, "delete", instagram.signed_request(sol.profile["id"])))["confirmation_code"]

    assert prints.store.get("connect-pending:v1") is None
    deleted = effects.deletion(services, code)
    assert deleted
    assert deleted.had_data


def test_a_callback_that_names_nobody_tries_each_accounts_token_once(
    client: FlaskClient, prints: Services, services: Services, instagram: FakeInstagram, token: Token
) -> None:
    instagram.revoke(value_of(prints) or "")
    instagram.forget_calls()

    call(client, "deauthorize", instagram.signed_request("0"))

    assert instagram.count("profile") == 2
    assert (value_of(prints), value_of(services)) == (None, token.value)


def test_an_account_whose_documents_cannot_be_read_keeps_no_other_from_being_deleted(
    client: FlaskClient,
    prints: Services,
    services: Services,
    instagram: FakeInstagram,
    nord_prints: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signed = instagram.signed_request(nord_prints.profile["id"])

    def fail() -> frozenset[str]:
        raise StoreError("It cannot be read.")

    with monkeypatch.context() as patch:
        patch.setattr(services.tokens, "account_ids", fail)
        assert call(client, "delete", signed).status_code == 503, "Meta has to ask again"

    assert (value_of(prints), prints.feed.newest()) == (None, None)
    code = told(call(client, "delete", signed))["confirmation_code"]
    page = client.get(f"/connect/deletion/{code}").text
    assert "deleted" in page.lower()
    assert "nothing" not in page.lower()
