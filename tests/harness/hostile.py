"""Texts as an attacker would write them, for whatever on Instagram a person can fill in."""

from hypothesis import strategies as st

from igfeed.texts.cleaning import clean

PIECES = [
    *("<script>window.pwned=1</script>", "</script>"),
    *("<img src=x onerror=window.pwned=1>", "<svg/onload=window.pwned=1>"),
    *('"><script>window.pwned=1</script>', "'><b>"),
    *('" onmouseover="window.pwned=1', "' onfocus='window.pwned=1' autofocus='"),
    *("</title>", "</style>", "</a>", "</h1>"),
    *("</ul></section></main></body></html>", "<!--", "-->", "<![CDATA[", "]]>"),
    *("{{ 7*7 }}", "{% include 'base.html' %}", "{# #}", "${7*7}", "<%= 7 %>"),
    *("#{7}", "{name}", "{0}", "%s", "%(name)s"),
    *("javascript:window.pwned=1", "data:text/html,<script>window.pwned=1</script>"),
    *("//evil.example/", "\\\\evil.example"),
    *('"', "'", "`", "<", ">", "&", "=", "/", "\\", "&quot;", "&lt;script&gt;", "&#34;", "&#x22", "&amp;amp;"),
    *("url(https://evil.example/)", "expression(window.pwned=1)"),
    *("}*{background:url(//evil.example)}", "@import '//evil.example'"),
    *("\u202e", "\u202d", "\u2066", "\u2067", "\u2069", "\u200f"),
    *("\u061c", "\u200b", "\ufeff", "\u00ad", "\u2028", "\u2029"),
    *("\0", "\x01", "\x08", "\x0b", "\x0c", "\x1b[31m"),
    *("\x7f", "\x85", "\ufffe", "\uffff", "\U0010ffff", "\ud800", "\udfff"),
    *("😀", "👩\u200d👩\u200d👧\u200d👦", "🏳️\u200d🌈", "👍🏿", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤", "ﷺ" * 5, "مرحبا", "שלום", "東京", "ß", "ŉ", "İ"),
    *("\n", "\r\n", "\t", " ", "\u00a0"),
    *("\u3000", "W" * 300, "i" * 300, "https://evil.example/" + "a" * 200, "#tag", "@name"),
]  # fmt: skip
"""Markup, ways out of attributes, templates, addresses, styles, bidi overrides, control characters, long words."""

EMOJI = "🪑" * 2200
"""As much as a caption may have."""


def as_kept(text: str) -> str:
    """What is left of a text once it is clean: ``test_texts.py`` says what that means."""
    return clean(text) or ""


TEXTS = [
    *(piece for piece in PIECES if as_kept(piece).strip()),
    EMOJI,
    "W" * 2200,
    "".join(PIECES),
    "\u202e" * 50 + "gnp.exe",
]

texts = st.builds(
    # A visible letter somewhere, so that the text is shown and the page has the same parts as with a harmless one.
    lambda before, after: f"{''.join(before)}x{''.join(after)}",
    st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=4),
    st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=4),
)

ADDRESSES = [
    *("javascript:window.pwned=1", "JaVaScRiPt:window.pwned=1"),
    *(" javascript:window.pwned=1", "java\nscript:window.pwned=1"),
    *("\x01javascript:window.pwned=1", "data:text/html,<script>window.pwned=1</script>"),
    *("vbscript:x", "file:///etc/passwd"),
    *("//evil.example/", "/\\evil.example"),
    *("\\\\evil.example", "http://www.instagram.com/p/x/", "ftp://www.instagram.com/"),
    *("https://evil.example/", "https://www.instagram.com.evil.example/", "https://www.instagram.com@evil.example/"),
    *("https://evil.example/www.instagram.com/",),
    *("https://evil.example#www.instagram.com", "https://evil.example?.instagram.com"),
    *("https://www.instagram.com\\@evil.example/",),
    *("https://evil.example\\.instagram.com/", "https://evil.example%2finstagram.com/"),
    *("https://evilinstagram.com/", "https://www.instagram.com:99999/", "https://www.instagram.com:443@evil.example/"),
    *("https://[::1]/", "https://[www.instagram.com]/"),
    *("https:/www.instagram.com/", "https:www.instagram.com", "https:///x"),
    *("https://evil.example/\t.instagram.com/", "https://evil.example/\n.instagram.com/"),
    *("https://evil\u3002example/", "\0"),
    *("https://\N{FULLWIDTH LATIN SMALL LETTER W}ww.instagram.com.evil.example/",),
    *("https://evil.example\uff0finstagram.com/", "https://%65vil.example/"),
    *("feed:https://www.instagram.com/", "https://user:pw@www.instagram.com/", "", " "),
    *("x", "?", "#", "://", "https://"),
]  # fmt: skip
"""Addresses that lead elsewhere, or seem to lead where they do not."""
