"""A WordPress site on which somebody has pasted the feed's address. Its rules are rebuilt from what its code does.

WordPress 6: ``WP_oEmbed::discover`` and ``fetch``, ``wp_filter_oembed_result`` for providers that it does not trust,
and ``wp-embed.js`` on the page.
"""

from __future__ import annotations

import re
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import requests

SECRET = "x7Kp2QmZ4s"

ALLOWED = {
    "a": {"href"},
    "blockquote": set(),
    "iframe": {"src", "width", "height", "frameborder", "marginwidth", "marginheight", "scrolling", "title"},
}
"""The elements and attributes that are left of an answer."""

SCRIPT = """
addEventListener('message', ({data, source}) => {
  if (!data || /[^a-zA-Z0-9]/.test(data.secret)) return;
  for (const quote of document.querySelectorAll(`blockquote[data-secret="${data.secret}"]`)) quote.hidden = true;
  for (const frame of document.querySelectorAll(`iframe[data-secret="${data.secret}"]`)) {
    if (source !== frame.contentWindow) continue;
    frame.removeAttribute('style');
    if (data.message == 'height') frame.height = Math.min(Math.max(parseInt(data.value), 200), 1000);
    if (data.message == 'link') {
      const from = new URL(frame.getAttribute('src')), to = new URL(data.value);
      if (!/^https?:$/.test(to.protocol) || to.host != from.host || document.activeElement != frame) return;
      top.location.href = data.value;
    }
  }
});
addEventListener('DOMContentLoaded', () => {
  for (const frame of document.querySelectorAll('iframe[data-secret]')) {
    frame.contentWindow.postMessage({message: 'ready', secret: frame.dataset.secret}, '*');
  }
});
"""


class _Kept(HTMLParser):
    """What is left of HTML from a provider that is not trusted."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ALLOWED:
            kept = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs if name in ALLOWED[tag])
            self.html += f"<{tag}{kept}>"

    def handle_endtag(self, tag: str) -> None:
        if tag in ALLOWED:
            self.html += f"</{tag}>"

    def handle_data(self, data: str) -> None:
        self.html += escape(data)


def pasted(address: str, width: int = 500) -> str:
    """What stands in the post in the place of the address. Fails if WordPress would leave it a link."""
    head = requests.get(address, timeout=60).text.partition("</head>")[0]
    links = [dict(re.findall(r'(\w+)="([^"]*)"', link)) for link in re.findall(r"<link([^<>]+)/?>", head)]
    provider = next(unescape(link["href"]) for link in links if link.get("type") == "application/json+oembed")
    parts = urlsplit(provider)
    room = {"maxwidth": width, "maxheight": min(-(-width * 3 // 2), 1000)}
    query = {**dict(parse_qsl(parts.query)), **room, "url": address, "dnt": 1, "format": "json"}
    found = requests.get(urlunsplit(parts._replace(query=urlencode(query))), timeout=60).json()
    assert found["type"] == "rich"
    return _filtered(found["html"])


def _filtered(html: str) -> str:
    """The HTML of a provider that is not trusted: a quote and a sandboxed frame, which is hidden at first."""
    match = re.search(r"(<blockquote>.*?</blockquote>)?.*(<iframe.*?></iframe>)", _Kept(html).html, re.DOTALL)
    assert match
    quote, frame = match[1] or "", match[2]
    frame = re.sub(r' src="(.*?)"', rf' src="\1#?secret={SECRET}" data-secret="{SECRET}"', frame, count=1)
    hidden = ' style="position: absolute; visibility: hidden;"' if quote else ""
    quote = quote.replace("<blockquote", f'<blockquote class="wp-embedded-content" data-secret="{SECRET}"')
    sandbox = f'<iframe class="wp-embedded-content" sandbox="allow-scripts" security="restricted"{hidden}'
    return quote + frame.replace("<iframe", sandbox)
