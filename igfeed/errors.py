"""Everything that can go wrong, in one tree.

The class says what happened, the text says it to a person, ``hint`` says what the owner does next::

    IgfeedError
    ├── ConfigError            a variable holds what it may not hold
    ├── StoreError             the store failed, or holds what cannot be read
    │   └── WriteRefused           it answers, and did not take a write
    ├── FeedUnavailable        there is nothing to show yet
    ├── PictureUnavailable     a picture is neither kept nor to be had now
    │   ├── PicturesUnreachable    as little as any other
    │   ├── PictureRefused         its address gives none that we can show
    │   └── NoPicture              there is none: a film without a still, or no address at all
    ├── TokenError
    │   ├── TokenMissing
    │   ├── TokenExpired
    │   └── WrongToken             it is for another of Meta's interfaces
    └── InstagramError
        ├── InstagramUnreachable   temporary: the network, a 5xx, codes 1 and 2
        │   └── TooMuchAsked           perhaps for being asked for too much: code 1, no answer in time, too many bytes
        ├── RateLimited            too many calls
        ├── TokenRejected          the token is dead
        ├── TooYoung               the token is not renewed yet
        ├── PermissionRefused      the app or the account may not
        └── UnexpectedAnswer       none of the above

No text ever holds a URL or a secret: ``requests`` puts the access token into its exceptions, Meta quotes it in
messages. So the original is neither quoted nor chained. What Instagram says is repeated only as far as
``igfeed.instagram.error_message`` passes it on, word by word.
"""

from datetime import timedelta


class IgfeedError(Exception):
    """The root: ``str(error)`` is one sentence without secrets, which any file and any page can hold."""

    hint = "See the log for what happened before."

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message.encode("utf-8", "replace").decode())
        if hint is not None:
            self.hint = hint


class ConfigError(IgfeedError):
    hint = "Correct the variable and start again."


class StoreError(IgfeedError):
    hint = "Check that the database is running and that its URL and token are right; igfeed goes on by itself."


class WriteRefused(StoreError):
    """Reading may go on: only the write was refused."""

    hint = "Look at the database's console: its size, its plan and its replicas; igfeed goes on by itself."


class FeedUnavailable(IgfeedError):
    """``retry_after`` is when another try makes sense."""

    def __init__(self, message: str, hint: str, retry_after: timedelta) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class PictureUnavailable(IgfeedError):
    hint = "The next fetch brings a new address for it."


class PicturesUnreachable(PictureUnavailable):
    """Their host does not answer, so that there is no use in asking it for another one right now."""


class PictureRefused(PictureUnavailable):
    """Asking that address again would end in the same way."""


class NoPicture(PictureUnavailable):
    """Nothing has failed, and nobody can mend it."""

    hint = "Nothing to do: Instagram has no picture of this post."


class TokenError(IgfeedError):
    hint = "Generate a token in the app's dashboard at Meta and run `flask igfeed setup-token`."


class TokenMissing(TokenError):
    pass


class TokenExpired(TokenError):
    pass


class WrongToken(TokenError):
    """It is for another of Meta's interfaces."""

    hint = (
        "Generate one in the app's dashboard at Meta, under `API setup with Instagram login`: "
        "it begins with IGAA. Then run `flask igfeed setup-token`."
    )


class InstagramError(IgfeedError):
    """``code`` is the number in Instagram's error object, None where the reply had none."""

    hint = "Nothing to do: the feed shows what it has and tries again by itself."

    def __init__(self, message: str, hint: str | None = None, code: int | None = None) -> None:
        super().__init__(message, hint)
        self.code = code


class InstagramUnreachable(InstagramError):
    """``may_have_taken_effect`` is False when the request was never sent, so that it cannot have changed anything."""

    def __init__(self, message: str, code: int | None = None, *, may_have_taken_effect: bool = True) -> None:
        super().__init__(message, code=code)
        self.may_have_taken_effect = may_have_taken_effect


class TooMuchAsked(InstagramUnreachable):
    """It may help to ask for less at once."""


class RateLimited(InstagramError):
    """``retry_after`` is what Instagram's headers ask for, None where they are silent."""

    hint = "Nothing to do: calls are paused until Instagram takes them again."

    def __init__(self, message: str, code: int | None = None, retry_after: timedelta | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class TokenRejected(InstagramError):
    """``token`` is the fingerprint of the token that was rejected, where that is known."""

    hint = TokenError.hint
    token: str | None = None


class TooYoung(InstagramError):
    """The token cannot be renewed yet."""

    hint = "A token younger than 24 hours cannot be renewed yet; it is used as it is and tried again by itself."


class PermissionRefused(InstagramError):
    hint = "Check in the app's dashboard at Meta that the account still grants `instagram_business_basic`."


class UnexpectedAnswer(InstagramError):
    hint = (
        "If this stays: check at Meta that the app is live and that the account has accepted its tester role; "
        "the feed shows what it has."
    )
