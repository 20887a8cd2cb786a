"""Documents in the store as nothing of ours writes them: no view breaks on them, and the next fetch heals them."""

import json
import re
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import pytest
from flask.testing import FlaskClient

from igfeed import create_app
from igfeed.errors import InstagramError
from igfeed.feed.fetch_failures import FAILURE_KEY
from igfeed.feed.local_copy import FEED_KEY
from igfeed.models import Token
from igfeed.services import Services
from igfeed.tokens.document import TOKEN_KEY
from igfeed.tokens.renewal import RENEWAL_KEY
from tests.conftest import MakeServices
from tests.harness.clock import MovingClock
from tests.harness.odd import changed, leaves, odd_values
from tests.harness.owner import CRON, OWNER, STATUS
from tests.harness.visitor import Visitor
from tests.servers.instagram import TEMPORARY, FakeInstagram, album, child_image, image

AT_ONCE = 1
"""How many odd values each leaf gets here, by turns; all of them in each leaf are tried with the nouns alone."""

Shown = list[tuple[str, str]]


@pytest.fixture
def stored(instagram: FakeInstagram, services: Services, token: Token, clock: MovingClock) -> dict[str, Any]:
    """What a deployment has in its store that has lived for a while: every kind of document."""
    instagram.picture_size = (48, 60)
    instagram.posts[:] = [image(alt_text="A chair"), album([child_image()])]
    services.tokens.renew()
    client = Visitor(create_app(services=services))
    assert client.get(CRON, headers=OWNER).status_code == 200
    instagram.fail("media", TEMPORARY)
    with pytest.raises(InstagramError):
        services.feed.fetch()
    instagram.heal()
    texts = {key: services.store.get(key) for key in (FEED_KEY, TOKEN_KEY, RENEWAL_KEY, FAILURE_KEY)}
    assert token.value not in (texts[FEED_KEY] or "")
    return {key: json.loads(text) for key, text in texts.items() if text}


def oddities(document: Any) -> Iterator[tuple[tuple[Any, ...], str]]:
    """The document with something odd in one leaf, as text; each leaf has some of the odd values."""
    turns = cycle(range(100))
    for path in leaves(document):
        values = odd_values(path)
        start = next(turns) * AT_ONCE % len(values)
        for odd in islice(cycle(values), start, start + AT_ONCE):
            yield (*path, repr(odd)), json.dumps(changed(document, path, odd))
    for text in ("", "null", "[]", "{}", "5", '"text"', "no json", "[" * 2000):
        yield (text,), text


def shown(client: FlaskClient) -> Shown:
    page = client.get("/")
    assert page.status_code == 200
    return re.findall(r'data-post-id="(\d+)".*?alt="([^"]*)"', page.text, re.DOTALL)


@pytest.mark.parametrize("key", [FEED_KEY, TOKEN_KEY, RENEWAL_KEY, FAILURE_KEY])
def test_no_odd_leaf_breaks_a_view_and_the_next_fetch_heals_it(
    key: str, stored: dict[str, Any], make_services: MakeServices, instagram: FakeInstagram, clock: MovingClock
) -> None:
    writer = make_services()
    whole = shown(Visitor(create_app(services=writer)))
    picture = f"/media/{whole[0][0]}-320.webp"
    clock.forward(hours=2)
    for path, text in oddities(stored[key]):
        for each, document in stored.items():
            writer.store.set(each, text if each == key else json.dumps(document))
        clock.forward(hours=1)
        client = Visitor(create_app(services=make_services()))

        answers = {address: client.get(address, headers=OWNER) for address in ("/", "/embed", picture, STATUS, CRON)}
        after = {address: client.get(address, headers=OWNER) for address in (picture, STATUS)}

        statuses = {address: answer.status_code for address, answer in answers.items()}
        assert 500 not in statuses.values(), (path, statuses)
        assert statuses["/"] == statuses["/embed"] == statuses[picture] == statuses[STATUS] == 200, (path, statuses)
        assert shown(client) == whole, path
        assert {answer.status_code for answer in after.values()} == {200}, path
        if key != TOKEN_KEY:
            assert statuses[CRON] == 200, (path, answers[CRON].text)
            assert after[STATUS].get_json()["status"] == "ok", (path, after[STATUS].get_json())
