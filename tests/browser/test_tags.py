"""How the script gets onto other sites' pages: by modules, libraries, bundlers or tag managers, with options or not."""

from collections.abc import Iterator
from contextlib import ExitStack
from html import escape
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Request, Response

from igfeed import create_app
from igfeed.config import Settings
from tests.browser.conftest import Host, feed, tag, wait_until_it_fits
from tests.harness.app_server import serving

pytestmark = pytest.mark.browser

LINK = '<a href="https://www.instagram.com/studio.nord/">@studio.nord</a>'
OPTIONS = "data-columns=3 data-limit=3"
ASKED = "/embed?limit=3&columns=3"

FEEDS = """
() => {
  const all = root => [...root.querySelectorAll('*')].flatMap(each =>
    each.matches('[data-igfeed]:not(a)') ? [each] : each.shadowRoot ? all(each.shadowRoot) : []);
  return all(document).map(each => [each.src, each.previousElementSibling?.localName ?? '',
    each.parentNode.id ?? '#shadow']);
}
"""
"""Each feed's address, what stands before it, and where it is."""

BARE_COPY = """
([src, html]) => new Promise(ran => {
  if (html) here.innerHTML = html;
  const script = document.createElement('script');
  script.src = src;
  script.onload = script.onerror = ran;
  document.head.append(script);
  script.remove();
})
"""
"""As jQuery, pjax and some tag managers do: what runs is a copy without attributes, gone from the head at once."""


def feeds(page: Page, count: int = 1) -> list[Any]:
    page.wait_for_function(f"count => ({FEEDS})().length >= count", arg=count)
    return list(page.evaluate(FEEDS))


def around(body: str, head: str = "") -> str:
    return f"<head>{head}</head><body><p>Before</p><div id=here>{body}</div><p>After</p>"


@pytest.mark.parametrize("how", ["type=module", "type=module async", "crossorigin", "crossorigin=anonymous"])
def test_as_a_module_or_with_crossorigin_the_feed_is_where_the_tag_is(
    page: Page, site: str, host: Host, how: str, way: str
) -> None:
    page.goto(host(around(LINK + tag(site, f"{OPTIONS} {way}", how))))

    assert feeds(page) == [[site + ASKED, "script", "here"]]
    feed(page).locator(".tile").first.wait_for()
    wait_until_it_fits(page)
    assert page.get_by_role("link", name="@studio.nord").count() == 0


def test_of_several_modules_which_a_browser_runs_once_each_has_its_feed(page: Page, site: str, host: Host) -> None:
    one, two = (tag(site, f"data-limit={limit}", "type=module") for limit in (1, 2))
    other = tag(site, "", "type=module").replace("embed.js", "embed.js?limit=4")
    page.goto(host(around(one + two + other)))
    feeds(page, 3)
    page.wait_for_load_state()

    assert [each[0] for each in feeds(page)] == [f"{site}/embed?limit={limit}" for limit in (1, 2, 4)]


def test_a_module_in_the_head_puts_its_feed_at_the_end_of_the_body(page: Page, site: str, host: Host) -> None:
    page.goto(host(around("", tag(site, OPTIONS, "type=module"))))

    assert feeds(page) == [[site + ASKED, "p", ""]]


def test_a_module_leaves_alone_what_waits_for_consent(page: Page, site: str, host: Host) -> None:
    waiting = tag(site, "data-limit=1", "type=text/plain")
    page.goto(host(around(LINK + waiting + tag(site, OPTIONS, "type=module"))))

    assert [each[0] for each in feeds(page)] == [site + ASKED]


def test_imported_by_a_module_of_the_page_without_any_tag_it_is_at_the_end(page: Page, site: str, host: Host) -> None:
    page.goto(host(around(LINK, f"<script type=module>import '{site}/embed.js'</script>")))

    assert feeds(page) == [[f"{site}/embed", "p", ""]]


def test_in_shadow_roots_each_tag_has_its_feed_and_its_link_there(page: Page, site: str, host: Host) -> None:
    page.goto(host("<body><div class=card></div><div class=card></div>"))
    page.locator(".card").evaluate_all(
        """(cards, src) => Promise.all(cards.map((card, place) => new Promise(ran => {
          const script = document.createElement('script');
          script.src = src;
          script.dataset.limit = place + 1;
          script.onload = ran;
          card.attachShadow({mode: 'open'}).append(script); })))""",
        f"{site}/embed.js",
    )

    assert page.evaluate(FEEDS) == [[f"{site}/embed?limit={limit}", "script", "#shadow"] for limit in (1, 2)]
    assert page.locator("a[data-igfeed]").count() == 2


@pytest.mark.parametrize("query", ["", "?ver=6.5", "?_=1790000000"], ids=["same", "version", "against caches"])
def test_where_a_library_runs_a_bare_copy_the_feed_is_where_the_tag_is(
    page: Page, site: str, host: Host, query: str
) -> None:
    """The tag came by innerHTML, which runs none."""
    page.goto(host(around("")))
    page.evaluate(BARE_COPY, [f"{site}/embed.js{query}", LINK + tag(site, OPTIONS, "async")])

    assert feeds(page) == [[site + ASKED, "script", "here"]]
    assert not page.get_by_role("link", name="@studio.nord").is_visible()


def test_several_bare_copies_are_for_several_tags(page: Page, site: str, host: Host) -> None:
    page.goto(host(around("")))
    page.evaluate(BARE_COPY, [f"{site}/embed.js", tag(site, "data-limit=1") + tag(site, "data-limit=2")])
    page.evaluate(BARE_COPY, [f"{site}/embed.js", ""])

    assert [each[0] for each in feeds(page, 2)] == [f"{site}/embed?limit={limit}" for limit in (1, 2)]


def test_a_bare_tag_in_the_head_takes_nothing_from_a_tag_that_runs_by_itself(page: Page, site: str, host: Host) -> None:
    page.goto(host(around(tag(site, OPTIONS, "async"), tag(site))))

    assert sorted(feeds(page, 2)) == [[f"{site}/embed", "p", ""], [site + ASKED, "script", "here"]]


def test_without_any_tag_in_the_page_a_tag_managers_copy_is_at_the_end(page: Page, site: str, host: Host) -> None:
    page.goto(host(around(LINK)))
    page.evaluate(BARE_COPY, [f"{site}/embed.js?limit=3&columns=3", ""])

    assert feeds(page) == [[site + ASKED, "p", ""]]


def test_options_may_stand_in_the_address_and_those_in_attributes_count_more(page: Page, site: str, host: Host) -> None:
    script = tag(site, "data-columns=2 data-title=Ours").replace("embed.js", "embed.js?columns=5&limit=3&secret=x#y")
    page.goto(host(around(script)))

    assert feeds(page)[0][0] == f"{site}/embed?limit=3&columns=2"
    assert feed(page).locator("h1").text_content() == "Ours"


def test_with_a_final_slash_it_finds_the_embed(page: Page, site: str, host: Host) -> None:
    page.goto(host(around(tag(site, OPTIONS).replace("embed.js", "embed.js/"))))

    assert feeds(page)[0][0] == site + ASKED
    feed(page).locator(".tile").first.wait_for()


@pytest.fixture
def pages() -> Iterator[Any]:
    """Puts up another site with several files: takes them by path, gives its address."""
    with ExitStack() as stack:

        def put_up(files: dict[str, str]) -> str:
            @Request.application
            def app(request: Request) -> Response:
                kind = "text/javascript" if request.path.endswith(".js") else "text/html"
                return Response(files[request.path], mimetype=kind) if request.path in files else Response(status=404)

            return f"http://localhost:{stack.enter_context(serving(app))}"

        yield put_up


@pytest.mark.parametrize("where", ["body", "head"])
def test_bundled_with_other_scripts_it_asks_where_it_came_from_and_not_the_bundle(
    page: Page, site: str, pages: Any, where: str
) -> None:
    bundle = "window.other = 1;" + page.request.get(f"{site}/embed.js").text()
    script = f'<script src="/cache/all.js?page=2" {OPTIONS}></script>'
    html = around(*((LINK + script, "") if where == "body" else (LINK, script)))
    page.goto(pages({"/": html, "/cache/all.js": bundle}))

    assert feeds(page) == [[site + ASKED, *(["script", "here"] if where == "body" else ["p", ""])]]
    feed(page).locator(".tile").first.wait_for()


def test_pasted_into_the_page_it_asks_where_it_came_from(page: Page, site: str, host: Host) -> None:
    script = page.request.get(f"{site}/embed.js").text()
    page.goto(host(around(f"{LINK}<script {OPTIONS}>{script}</script>")))

    assert feeds(page) == [[site + ASKED, "script", "here"]]


def test_run_from_a_blob_it_asks_where_it_came_from(page: Page, site: str, host: Host) -> None:
    page.goto(host(around(LINK)))
    page.evaluate(
        """text => {
          const script = document.createElement('script');
          script.src = URL.createObjectURL(new Blob([text], {type: 'text/javascript'}));
          script.dataset.limit = 3;
          here.append(script); }""",
        page.request.get(f"{site}/embed.js").text(),
    )

    assert feeds(page) == [[f"{site}/embed?limit=3", "script", "here"]]


@pytest.mark.parametrize("how", ["tag", "import"])
def test_in_a_page_that_is_a_text_in_another_page_the_feed_is_there(
    page: Page, site: str, host: Host, how: str
) -> None:
    inner = tag(site, "data-limit=3") if how == "tag" else f"<script type=module>import '{site}/embed.js'</script>"
    page.goto(host(f'<body><iframe width=380 height=600 srcdoc="{escape(inner)}"></iframe>'))

    tiles = page.frame_locator("iframe").locator(".tile")
    expect(tiles).to_have_count(3 if how == "tag" else 12)


def test_in_a_sandbox_the_feed_is_in_the_page(page: Page, site: str, host: Host) -> None:
    page.goto(host(f'<body><iframe sandbox=allow-scripts srcdoc="{escape(tag(site))}"></iframe>'))

    expect(page.frame_locator("iframe").locator(".tile")).to_have_count(12)


def test_in_a_sandbox_which_no_frame_may_stand_in_there_is_the_link(page: Page, site: str, host: Host) -> None:
    framed = escape(tag(site, "data-frame"))
    page.goto(host(f'<body><iframe sandbox=allow-scripts srcdoc="{framed}"></iframe>'))

    expect(page.frame_locator("iframe").get_by_role("link", name="Studio Nord on Instagram")).to_be_visible()


def test_where_tags_are_taken_out_of_what_is_put_in_the_pages_html_says_what_they_were(
    page: Page, site: str, pages: Any
) -> None:
    """As jquery-pjax and MoOx's pjax do."""
    content = f"<p>Alike</p>{LINK}{tag(site, OPTIONS)}"
    address = pages({"/": around("", LINK), "/with": around(content, LINK)})
    page.goto(address)
    page.evaluate("history.pushState(null, '', '/with')")
    page.evaluate(BARE_COPY, [f"{site}/embed.js", f"<p>Alike</p>{LINK}"])

    assert feeds(page) == [[site + ASKED, "a", "here"]]
    feed(page).locator(".tile").first.wait_for()
    wait_until_it_fits(page)
    assert not page.locator("#here > a").is_visible()


@pytest.mark.fresh_page
def test_a_page_whose_html_has_no_tag_is_asked_once_and_has_the_feed_at_its_end(
    page: Page, site: str, pages: Any
) -> None:
    asked: list[str] = []
    address = pages({"/": around(LINK), "/next": around(LINK)})
    page.goto(address)
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("history.pushState(null, '', '/next#part')")
    page.evaluate(BARE_COPY, [f"{site}/embed.js", ""])

    assert feeds(page) == [[f"{site}/embed", "p", ""]]
    assert [url for url in asked if url.startswith(address)] == [f"{address}/next"]


@pytest.mark.fresh_page
def test_a_page_that_is_still_at_its_address_is_not_asked_for_a_second_time(page: Page, site: str, host: Host) -> None:
    asked: list[str] = []
    address = host(around(LINK))
    page.goto(f"{address}#part")
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(BARE_COPY, [f"{site}/embed.js", ""])

    feeds(page)
    assert [url for url in asked if url.startswith(address)] == []


AS_TURBO_DOES = """
path => {
  window.cached ??= {};
  cached[location.pathname] = document.body.cloneNode(true);
  const body = document.adoptNode(cached[path] ?? new DOMParser().parseFromString(pages[path], 'text/html').body);
  for (const script of body.querySelectorAll('script')) {
    const copy = document.createElement('script');
    for (const {name, value} of script.attributes) copy.setAttribute(name, value);
    script.replaceWith(copy);
  }
  history.pushState(null, '', path);
  document.body.replaceWith(body);
}
"""
"""Go to a page: its body takes the old one's place, its scripts run as copies. A page seen before is a clone."""


def test_where_turbo_replaces_the_body_each_page_has_one_feed(page: Page, site: str, pages: Any, way: str) -> None:
    bodies = {path: around(LINK + tag(site, f"data-limit={limit} {way}")) for path, limit in (("/", 1), ("/next", 2))}
    page.goto(pages(bodies))
    feed(page).locator(".tile").first.wait_for()
    page.evaluate("bodies => { window.pages = bodies }", bodies)
    for path, limit in (("/next", 2), ("/", 1), ("/next", 2)):
        page.evaluate(AS_TURBO_DOES, path)

        expect(feed(page).locator(".tile")).to_have_count(limit)
        assert feeds(page) == [[f"{site}/embed?limit={limit}", "script", "here"]]
        assert not page.locator("#here > a").is_visible()


@pytest.fixture
def hidden_site(demo_store: str) -> Iterator[str]:
    """A demo behind a proxy that hands neither its own name nor its prefix on."""
    app = create_app(Settings.from_env({"IGFEED_DEMO": "1", "IGFEED_STORE_PATH": demo_store}))

    def inner(environ: Any, start_response: Any) -> Any:
        return app({**environ, "SCRIPT_NAME": "", "HTTP_HOST": "backend.internal:9000"}, start_response)

    with serving(DispatcherMiddleware(Response(status=404), {"/feed": inner})) as port:
        yield f"http://127.0.0.1:{port}/feed"


def test_behind_a_proxy_that_hides_the_address_it_is_found_by_the_one_it_was_fetched_from(
    page: Page, hidden_site: str, host: Host
) -> None:
    script, module = tag(hidden_site, "data-limit=1"), tag(hidden_site, "data-limit=2", "type=module")
    page.goto(host(around(script + module)))

    assert feeds(page, 2) == [[f"{hidden_site}/embed?limit={limit}", "script", "here"] for limit in (1, 2)]
