"""The colours and the font that a page is painted with. Its texts are readable whatever colours the owner chose."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from igfeed.widget.options import TRANSPARENT, Options
from igfeed.widget.views import View

MIN_CONTRAST = 4.5
"""Between a text and its ground (WCAG 2.2, criterion 1.4.3, level AA)."""

BLACK, WHITE = "#000000", "#ffffff"

QUIET_SHARES = (0.68, 0.76, 0.84, 0.92)
"""How much of the text's colour less important texts may have, the rest being the ground's. The first that is readable
is taken."""

LINE_ALPHA, VEIL_ALPHA = "1d", "11"
"""How much of the text's colour lines and empty tiles have, as the last two digits of a CSS colour. They are
transparent, so they suit any ground that a host page has."""

FONTS = {
    "system": 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif',
    "serif": 'ui-serif,Charter,"Bitstream Charter","Sitka Text",Cambria,Georgia,serif',
    "mono": 'ui-monospace,"Cascadia Code","Source Code Pro",Menlo,Consolas,"DejaVu Sans Mono",monospace',
    "rounded": 'ui-rounded,"Hiragino Maru Gothic ProN",Quicksand,Comfortaa,Manjari,"Arial Rounded MT Bold",sans-serif',
}
"""The fonts of the visitor's own system that the option ``font`` takes: no file of a font is loaded."""


class Tones(Struct, frozen=True):
    """Colours as in a style sheet (``#17181a``).

    ``ink`` is that of texts, ``quiet`` that of less important ones, ``link`` that of links and of the focus ring.
    ``accent`` is the ground of buttons, and ``on_accent`` the text on it. ``ground`` is only assumed where the page is
    transparent.
    """

    ground: str
    ink: str
    quiet: str
    accent: str
    on_accent: str
    link: str

    @property
    def line(self) -> str:
        return f"{self.ink}{LINE_ALPHA}"

    @property
    def veil(self) -> str:
        return f"{self.ink}{VEIL_ALPHA}"

    @property
    def scheme(self) -> str:
        """The CSS ``color-scheme`` in which scrollbars and controls suit the ground."""
        return "dark" if luminance(self.ground) < luminance(self.ink) else "light"


class Palette(Struct, frozen=True):
    """``page`` are the tones of the page, and ``post`` those of an opened post, which always has an opaque ground."""

    page: Tones
    post: Tones


class Theme(Struct, frozen=True):
    """``usual`` is what most visitors see, and ``dark`` what those with a dark system see if that differs.

    ``has_scheme``: whether the page declares its colour scheme. A frame must not: where it differs from that of the
    host page's iframe element, browsers paint an opaque ground (CSS Color Adjustment 1, 2.5).
    """

    font: str
    usual: Palette
    dark: Palette | None
    has_ground: bool
    has_scheme: bool
    by_page: tuple[Palette, Palette] | None
    """For a part of a page that takes over its text's colour: on light and on dark ground. None if it has its own."""


LIGHT = Tones("#ffffff", "#17181a", "#5f6368", accent="#17181a", on_accent="#ffffff", link="#17181a")
DARK = Tones("#101113", "#f3f3f0", "#a8abb0", accent="#f3f3f0", on_accent="#101113", link="#f3f3f0")


def theme(options: Options, view: View) -> Theme:
    has_ground = options.background != TRANSPARENT
    is_free = not has_ground and not options.color
    usual, dark = _palette(DARK if options.theme == "dark" else LIGHT, options), _palette(DARK, options)
    return Theme(
        FONTS[options.font],
        usual,
        dark if options.theme == "auto" and dark != usual else None,
        has_ground=has_ground,
        has_scheme=has_ground and view.has_ground,
        by_page=(_palette(LIGHT, options), _palette(DARK, options)) if view.is_a_part and is_free else None,
    )


def luminance(colour: str) -> float:
    """The relative luminance of ``#rrggbb``, from 0 for black to 1 for white (WCAG 2.2)."""
    red, green, blue = (_linear(part / 255) for part in bytes.fromhex(colour[1:]))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(text: str, ground: str) -> str:
    """The colour ``text``, or black or white where it has too little contrast. One of these always has enough."""
    return text if contrast(text, ground) >= MIN_CONTRAST else _strongest((BLACK, WHITE), ground)


def _palette(base: Tones, options: Options) -> Palette:
    if options.background == TRANSPARENT:
        return _transparent_palette(base, options)
    tones = _on(f"#{options.background}" if options.background else base.ground, base, options)
    return Palette(tones, tones)


def _transparent_palette(base: Tones, options: Options) -> Palette:
    """Only the owner knows what is behind the page. So a chosen colour stays as it is, but for an opened post."""
    if not options.color:
        post = _on(base.ground, base, options)
        return Palette(replace(post, link=post.accent), post)
    ink = f"#{options.color}"
    base = max((LIGHT, DARK), key=lambda each: contrast(ink, each.ground))
    post = _on(base.ground, base, options)
    accent = f"#{options.accent}" if options.accent else ink
    on_accent = readable(base.ground, accent)
    return Palette(replace(post, ink=ink, quiet=ink, accent=accent, on_accent=on_accent, link=accent), post)


def _on(ground: str, base: Tones, options: Options) -> Tones:
    """The tones on an opaque ground, all of them readable."""
    ink = readable(f"#{options.color}" if options.color else base.ink, ground)
    is_usual = (ground, ink) == (base.ground, base.ink)
    quiet = base.quiet if is_usual else _quiet(ink, ground)
    accent = f"#{options.accent}" if options.accent else ink
    return Tones(ground, ink, quiet, accent, on_accent=readable(ground, accent), link=readable(accent, ground))


def _quiet(ink: str, ground: str) -> str:
    mixed = (_mix(ink, ground, share) for share in QUIET_SHARES)
    return next((each for each in mixed if contrast(each, ground) >= MIN_CONTRAST), ink)


def _mix(one: str, other: str, share: float) -> str:
    parts = zip(bytes.fromhex(one[1:]), bytes.fromhex(other[1:]), strict=True)
    return f"#{bytes(round(share * mine + (1 - share) * yours) for mine, yours in parts).hex()}"


def _strongest(colours: Sequence[str], ground: str) -> str:
    return max(colours, key=lambda each: contrast(each, ground))


def _linear(part: float) -> float:
    """One channel of sRGB without its gamma, both from 0 to 1."""
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  WCAG's definition
