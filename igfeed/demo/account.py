"""An ``Instagram`` without account and network: @studio.nord, a print studio that does not exist."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from igfeed.clock import Clock
from igfeed.errors import PictureUnavailable
from igfeed.instagram import RENEWAL_TIME_LIMIT
from igfeed.instagram.reading import IsShown, beginning, every_post
from igfeed.models import AlbumPicture, Media, Picture, Post, Profile, Token
from igfeed.models.picture import SKETCH_SCHEME
from igfeed.models.token import TOKEN_LIFETIME

DEMO_TOKEN = "demo"  # noqa: S105  opens nothing
PROFILE_URL = "https://www.instagram.com/"
BETWEEN_POSTS = timedelta(hours=31)
FIRST_MEDIA_ID = 17_900_000_000_000_000

LONG_CAPTION = (
    "Twelve months of work in one frame: this is the first proof of the new series, pulled on Tuesday night when the "
    "studio was finally quiet. Five inks, two of them mixed from what was left of last summer's orange.\n\n"
    "People ask why we still print by hand. It is slower, it is dearer, and every sheet comes out a little different. "
    "That is the answer. The sky of number seven is darker than that of number six, and somebody will walk in and say: "
    "that one is mine.\n\nEdition of eighty, signed, on 300 g cotton paper. In the shop from Saturday at ten.\n\n"
    "#screenprint #editions #studionord #printmaking #slowdesign"
)
HEBREW_CAPTION = "אור ראשון מעל הפיורד. הדפס חדש בסדרה, חתום וממוספר."
ARABIC_CAPTION = "منارة في آخر الرصيف، طبعة جديدة بخمسة ألوان."


@dataclass(frozen=True)
class Sample:
    """One sample post. It is an album if it has several sketches."""

    sketches: tuple[str, ...]
    caption: str | None = None
    is_video: bool = False


SAMPLES = (
    Sample(("cabin",), "Lights on, kettle on. The winter print is back in the shop. ❄️🌲"),
    Sample(("ceramics-1", "ceramics-2", "ceramics-3"), "Three pots, three walls. Which one goes over your table?"),
    Sample(("aurora",), "Twenty minutes of northern lights in nine seconds. 🌌 Sound on.", is_video=True),
    Sample(("print-2",), LONG_CAPTION),
    Sample(("harbour",), "Bryggen at dusk, pulled in seven inks. Mirrored by hand, so no two are the same."),
    Sample(("botanical-2", "botanical-1", "botanical-3", "botanical-4"), "The herbarium is complete 🌿🌿🌿🌿"),
    Sample(("lighthouse",), ARABIC_CAPTION),
    Sample(("coffee",)),
    Sample(("fells-1", "fells-2", "fells-3", "fells-4"), "One view, four lights: morning, noon, evening, night."),
    Sample(("waves",), "Seigaiha, on its way through the press. 🌊 #screenprint", is_video=True),
    Sample(("papercut-1", "papercut-2"), "Cut, layered, photographed, printed. In that order."),
    Sample(("moon",), "Full moon tonight 🌕"),
    Sample(("iceberg",), "Ninety per cent of the work is below the water line."),
    Sample(("midnight-sun",), HEBREW_CAPTION),
    Sample(("print-1", "print-2", "print-3"), "Geometry class is open: Thursdays at six, paper & ink <included>."),
    Sample(("dunes",), "A postcard from the south, for a change. Thank you @atelier.sol for the stay!"),
    Sample(("botanical-4",), "Olive, in two blues."),
    Sample(("regatta",), "Saturday, 12 knots, bright. ⛵️⛵️⛵️"),
    Sample(("ceramics-2",), '"It is only a jug", she said. It is never only a jug.'),
    Sample(("fells-3",)),
    Sample(("papercut-2",), "#papercut #lagoon #blue"),
    Sample(("botanical-3",), "Laurel for everyone who came to the opening. You were many! 🎉👏🏽"),
    Sample(("print-3",), "Cool inks, one red. There is always one."),
    Sample(("fells-4",), "Good night from the north."),
)


class DemoInstagram:
    """Implements ``Instagram``. Every token is accepted. Times follow ``clock``, so the posts stay recent."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def profile(self, token: str) -> Profile:  # noqa: ARG002  every token is accepted
        return Profile(
            username="studio.nord",
            name="Studio Nord",
            biography="Screen prints from the sixtieth parallel. Made slowly, five inks at a time. (A sample account.)",
            media_count=len(SAMPLES),
            followers_count=12840,
            follows_count=214,
            picture_url=SKETCH_SCHEME + "press-mark",
        )

    def media(self, token: str, limit: int, is_shown: IsShown = every_post) -> Media:  # noqa: ARG002
        now = self._clock()
        posts = beginning((self._post(number, now) for number in range(len(SAMPLES))), limit, is_shown)
        return Media(posts, is_at_end=len(posts) == len(SAMPLES))

    def renew(self, token: str, seconds: float = RENEWAL_TIME_LIMIT) -> Token:  # noqa: ARG002
        now = self._clock()
        return Token(token, issued_at=now, expires_at=now + TOKEN_LIFETIME)

    def exchange(self, token: str, app_secret: str) -> Token:  # noqa: ARG002
        return self.renew(token)

    def picture(self, url: str) -> bytes:
        # Importing the drawings loads most of Pillow, so a page with stored pictures does without.
        from igfeed.demo.scenes import draw  # noqa: PLC0415

        try:
            return draw(url.removeprefix(SKETCH_SCHEME))
        except KeyError:
            raise PictureUnavailable("The sample account has no such picture.") from None

    def _post(self, number: int, now: datetime) -> Post:
        from igfeed.demo.scenes import SUBJECTS  # noqa: PLC0415  as above

        sample = SAMPLES[number]
        # Each sample has a hundred ids: the first ones for its slides, the last one for the post itself.
        ids = count(FIRST_MEDIA_ID + number * 100)
        # Not strict, because ids has no end.
        pictures = [
            AlbumPicture(str(media_id), SKETCH_SCHEME + name)
            for media_id, name in zip(ids, sample.sketches, strict=False)
        ]
        url = pictures[0].url
        own = Picture(str(FIRST_MEDIA_ID + number * 100 + 99), url, video_url=url if sample.is_video else None)
        is_album = len(pictures) > 1
        return Post(
            picture=own,
            media_type="CAROUSEL_ALBUM" if is_album else "VIDEO" if sample.is_video else "IMAGE",
            permalink=PROFILE_URL,
            timestamp=now - (number + 1) * BETWEEN_POSTS,
            caption=sample.caption,
            alt_text=SUBJECTS[sample.sketches[0]],
            product_type="REELS" if sample.is_video else "FEED",
            like_count=480 - 13 * number,
            comments_count=(number * 7) % 23,
            children=tuple(pictures) if is_album else (),
        )
