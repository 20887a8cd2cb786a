"""The kept posts as the studio shows them, with what the owner has chosen about them."""

from dataclasses import dataclass

from igfeed.config import Settings
from igfeed.feed.rules.arrangement import ListedPost
from igfeed.feed.rules.reasons import Reason
from igfeed.models import Picture, PostRules, Profile
from igfeed.owner import choosing
from igfeed.owner.pages.words import Words, words_of
from igfeed.services import Services
from igfeed.widget.alt_text import alt_text
from igfeed.widget.translations import language_of


@dataclass(frozen=True)
class PostCard:
    """``reason`` says why visitors do not see the post, empty if they do.

    ``pin`` is the post's place among the pinned ones, counted from 1. ``link`` and ``label`` are those of the owner's
    link, empty if there is none.
    """

    id: str
    picture: Picture
    alt: str
    date: str
    reason: str
    reason_kind: str
    pin: int | None
    link: str
    label: str


@dataclass(frozen=True)
class Selection:
    """``posts`` are all kept posts, newest first. ``rules`` are the present ones."""

    posts: tuple[PostCard, ...]
    rules: PostRules


def selection(services: Services, profile: Profile) -> Selection:
    """All kept posts, newest first. Raises StoreError."""
    cards = (_card(each, profile, services.settings) for each in choosing.listed(services))
    return Selection(tuple(cards), services.feed.choices.rules)


def _card(listed: ListedPost, profile: Profile, settings: Settings) -> PostCard:
    post, language = listed.post, language_of(settings.language)
    return PostCard(
        post.id,
        post.picture,
        alt_text(post, profile.username, language),
        language.date(post.timestamp) if post.timestamp else "",
        _reason_in_words(listed.reason, words_of(settings.language)),
        listed.reason.kind if listed.reason else "",
        listed.pin,
        listed.link.url if listed.link else "",
        (listed.link.label or "") if listed.link else "",
    )


def _reason_in_words(reason: Reason | None, words: Words) -> str:
    if reason is None:
        return ""
    sentence: str = words.posts.reasons[reason.kind]
    type_ = words.options.type.choices[reason.type] if reason.type else ""
    return sentence.format(hashtags=", ".join(f"#{each}" for each in reason.hashtags), type=type_)
