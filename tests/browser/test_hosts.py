"""What other sites' pages do to the feeds in them: style them, isolate themselves, print; and what videos need."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import BOXES, Host, feed, frame, tag, wait_until_it_fits

pytestmark = pytest.mark.browser

README = Path(__file__).parents[2] / "README.md"

RULES = [
    "max-height: 99px",
    "min-height: 1200px",
    "min-width: 1500px",
    "max-width: 32px",
    "height: auto",
    "inline-size: 50px",
    "block-size: 50px",
    "max-block-size: 50px",
    "aspect-ratio: 16/9",
    "border: 5px solid red",
    "border-radius: 2em",
    "border-image: linear-gradient(red, blue) 30",
    "outline: 9px solid red",
    "box-shadow: 0 0 9px red",
    "padding: 2em",
    "margin: 2em",
    "margin-inline: 2em",
    "margin-block-start: -2em",
    "inset: 9px",
    "position: absolute",
    "float: left",
    "display: none",
    "opacity: .2",
    "visibility: hidden",
    "pointer-events: none",
    "user-select: none",
    "cursor: wait",
    "transform: scale(.5)",
    "scale: .5",
    "rotate: 9deg",
    "translate: 9px",
    "perspective: 9px",
    "zoom: 2",
    "filter: grayscale(1)",
    "backdrop-filter: blur(9px)",
    "mix-blend-mode: difference",
    "isolation: isolate",
    "clip-path: inset(10%)",
    "mask: linear-gradient(#000, transparent)",
    "contain: size",
    "content-visibility: hidden",
    "contain-intrinsic-size: 9px",
    "resize: both",
    "object-fit: none",
    "object-position: 9px 9px",
    "object-view-box: inset(10%)",
    "background: red",
    "columns: 2",
    "flex: 0 0 40px",
    "align-self: center",
    "justify-self: center",
    "order: -1",
    "z-index: -1",
    "will-change: transform",
    "transition: all 9s",
    "animation: host 9s infinite",
    "offset-path: circle(50px)",
    "direction: rtl",
    "writing-mode: vertical-rl",
    "frame-sizing: content-height",
]

STATE = """
element => {
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  const hit = document.elementFromPoint(box.left + 60, box.top + 60);
  const names = [...style].filter(name => !name.startsWith('--') && name !== 'direction');
  return JSON.stringify([box, hit === element, names.map(name => name + style[name])]);
}
"""
"""All that is seen of a box: where it is, whether it can be clicked, and its style but for the direction of texts."""

CHANGED_BY = f"""
([rules, state]) => {{
  const box = document.querySelector('{BOXES}'), style = document.createElement('style');
  document.head.append(style);
  const stateOf = eval(state), before = stateOf(box);
  const changed = rules.filter(rule => {{
    style.textContent = `@keyframes host {{ from {{ width: 9px }} }} {BOXES} {{ ${{rule}} }}
      #here > [style]{BOXES} {{ ${{rule}} !important }} @layer host {{ {BOXES} {{ ${{rule}} !important }} }}`;
    return stateOf(box) !== before;
  }});
  style.remove();
  return changed;
}}
"""


def test_nothing_that_a_page_says_of_every_element_reaches_ours(page: Page, site: str, host: Host, way: str) -> None:
    page.goto(host(f"<body><div id=here>{tag(site, f'data-columns=3 data-limit=6 {way}')}</div>"))
    feed(page).locator(".tile").first.wait_for()
    wait_until_it_fits(page)

    assert page.evaluate(CHANGED_BY, [RULES, STATE]) == []


def test_in_a_column_of_flexible_boxes_it_is_not_squeezed(page: Page, site: str, host: Host, way: str) -> None:
    script = tag(site, f"data-columns=1 data-limit=3 {way}")
    page.goto(host(f'<body><div style="display:flex;flex-direction:column;height:300px">{script}<p>After</p></div>'))
    feed(page).locator(".tile").first.wait_for()

    wait_until_it_fits(page, at_least=900)


# Videos


def snippet(site: str) -> str:
    """The iframe that README shows."""
    match = re.search(r"```html\n(<iframe.*?</iframe>)", README.read_text("utf-8"), re.DOTALL)
    assert match
    return match[1].replace("https://feed.example.com", site)


@pytest.mark.parametrize("by", ["tag", "README's frame"])
def test_a_video_may_fill_the_screen_float_and_start(page: Page, site: str, host: Host, by: str) -> None:
    page.goto(host(f"<body>{tag(site, 'data-limit=3 data-frame') if by == 'tag' else snippet(site)}"))
    frame(page).locator(".tile").first.wait_for()
    inner = page.locator("iframe").element_handle().content_frame()
    assert inner

    assert inner.evaluate("document.fullscreenEnabled")
    for feature in ("fullscreen", "picture-in-picture", "autoplay"):
        assert inner.evaluate("name => document.featurePolicy.allowsFeature(name)", feature), feature


# Hosts that isolate themselves


@pytest.mark.parametrize("policy", ["require-corp", "credentialless"])
@pytest.mark.parametrize("by", ["tag", "tag's frame", "README's frame"])
def test_a_page_that_isolates_itself_shows_the_feed(page: Page, site: str, host: Host, by: str, policy: str) -> None:
    body = snippet(site) if by == "README's frame" else tag(site, "data-frame" if "frame" in by else "")
    headers = {"Cross-Origin-Embedder-Policy": policy, "Cross-Origin-Opener-Policy": "same-origin"}
    page.goto(host(f"<body>{body}", headers))
    shown = frame(page) if "frame" in by else feed(page)
    shown.locator(".tile").first.wait_for()
    picture = shown.locator(".tile img").first

    assert page.evaluate("crossOriginIsolated")
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth > 0 }")


def test_in_such_a_page_a_wrong_address_is_a_friendly_page_too(page: Page, site: str, host: Host) -> None:
    headers = {"Cross-Origin-Embedder-Policy": "require-corp"}
    page.goto(host(f'<body><iframe src="{site}/embd" width=600 height=400></iframe>', headers))
    frame(page).get_by_role("link", name="See the posts").click()

    expect(frame(page).locator(".tile")).to_have_count(12)


# Hosts with a policy of their own


def test_a_page_with_a_strict_policy_has_to_allow_the_script_and_the_frame_only(
    page: Page, site: str, host: Host
) -> None:
    policy = f"default-src 'none'; script-src {site}; frame-src {site}"
    body = tag(site, "data-columns=3 data-limit=6 data-frame")
    page.goto(host(f"<body>{body}", {"Content-Security-Policy": policy}))
    frame(page).locator(".tile").first.wait_for()

    wait_until_it_fits(page)
    assert (
        frame(page).locator(".tile img").first.evaluate("async image => { await image.decode(); return image.width }")
    )


# Paper


@pytest.mark.parametrize("above", [3000, 30000], ids=["loaded", "too far away to be loaded"])
def test_a_printed_page_has_all_pictures(page: Page, site: str, host: Host, above: int, way: str) -> None:
    page.set_viewport_size({"width": 900, "height": 600})
    page.goto(host(f'<body><div style="height:{above}px"></div>{tag(site, f"data-columns=3 data-limit=12 {way}")}'))
    if above < 5000 or not way:
        feed(page).locator(".tile").first.wait_for(state="attached")
        wait_until_it_fits(page)
    pictures = page.pdf(format="A4").count(b"/Subtype /Image")

    assert pictures >= 12
