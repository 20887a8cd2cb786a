"""All errors, in one tree.

The class says what happened, the message explains it to a person, and ``hint`` says what the owner can do::

    IgfeedError
    ├── ConfigError            an environment variable has a bad value
    ├── AccountNameRefused     no account can have this name
    ├── UnknownAccount         there is no account of this name
    ├── ChoiceRefused          a choice of the owner is not possible
    │   └── UnknownPost            the feed has no such post
    ├── StoreError             the store failed, or its content cannot be read
    │   └── WriteRefused           the store answers but does not accept writes
    ├── FeedUnavailable        there is nothing to show yet
    ├── PictureUnavailable     a picture is not stored and cannot be fetched now
    │   ├── PicturesUnreachable    no picture can be fetched now: their host does not answer
    │   ├── PictureRefused         its address gives no picture that we can show
    │   └── NoPicture              Instagram has none: a video without a still, or no address at all
    ├── TokenError
    │   ├── TokenMissing
    │   ├── TokenExpired
    │   └── WrongToken             it is for another API of Meta
    └── InstagramError
        ├── InstagramUnreachable   temporary: the network, HTTP 5xx, codes 1 and 2
        │   └── TooMuchAsked           maybe we asked for too much: code 1, no reply in time, too large
        ├── RateLimited            too many calls
        ├── TokenRejected          the token is dead
        ├── TooYoung               the token is too young to be renewed
        ├── PermissionRefused      the app or the account lacks the permission
        ├── LoginRefused           the login of Connect gave no token
        │   ├── LoginDenied            the person has pressed Cancel
        │   ├── CodeSpent              the login's code was used before, or is too old
        │   ├── WrongAppId             it is not the Instagram app's id
        │   ├── WrongAppSecret         it does not belong to the app's id
        │   ├── WrongRedirect          the address to return to is not the registered one
        │   ├── NotATester             the account has not accepted its role in the app
        │   ├── PersonalAccount        it is no professional account
        │   └── PermissionUnticked     `instagram_business_basic` was not granted
        └── UnexpectedAnswer       none of the above

No message contains a URL or a secret. ``requests`` puts the access token into its exceptions and Meta quotes it in its
messages. So an original exception is neither quoted nor chained. Instagram's own message is repeated without the words
that ``igfeed.instagram.error_message`` does not take for harmless.
"""

from datetime import timedelta


class IgfeedError(Exception):
    """The root. ``str(error)`` is one sentence without secrets, and can be encoded as UTF-8."""

    hint = "See the log for what happened before."

    def __init__(self, message: str, hint: str | None = None) -> None:
        # A message may quote a lone surrogate, which neither a log nor a reply can encode.
        super().__init__(message.encode("utf-8", "replace").decode())
        if hint is not None:
            self.hint = hint


class ConfigError(IgfeedError):
    hint = "Correct the variable and start again."


class AccountNameRefused(IgfeedError):
    hint = "A name has 1 to 30 of a-z, 0-9 and hyphens, a letter or digit first, and is no address of igfeed's own."


class UnknownAccount(IgfeedError):
    hint = "`flask igfeed accounts` lists them; `flask igfeed setup-token --account NAME` adds one."


class ChoiceRefused(IgfeedError):
    """For example an unknown post, a fourth pin, or a link without https."""


class UnknownPost(ChoiceRefused):
    hint = "`flask igfeed posts` lists those that it has."


class StoreError(IgfeedError):
    hint = "Check that the database is running and that its URL and token are right; igfeed goes on by itself."


class WriteRefused(StoreError):
    """Only the write was refused. Reads still work."""

    hint = "Look at the database's console: its size, its plan and its replicas; igfeed goes on by itself."


class FeedUnavailable(IgfeedError):
    """``retry_after`` is how long to wait before another try makes sense."""

    def __init__(self, message: str, hint: str, retry_after: timedelta) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class PictureUnavailable(IgfeedError):
    hint = "The next fetch brings a new address for it."


class PicturesUnreachable(PictureUnavailable):
    """The host of the pictures does not answer, so asking it for another picture now is no use."""


class PictureRefused(PictureUnavailable):
    """The same address would give the same result again."""


class NoPicture(PictureUnavailable):
    """Instagram has no picture of the post. Nothing failed, and nobody can change it."""

    hint = "Nothing to do: Instagram has no picture of this post."


class TokenError(IgfeedError):
    hint = (
        "Connect in the studio (/studio), or generate a token in the app's dashboard at Meta and run "
        "`flask igfeed setup-token`."
    )


class TokenMissing(TokenError):
    pass


class TokenExpired(TokenError):
    pass


class WrongToken(TokenError):
    """The token is for another API of Meta."""

    hint = (
        "Generate one in the app's dashboard at Meta, under `API setup with Instagram login`: "
        "it begins with IGAA. Then run `flask igfeed setup-token`."
    )


class InstagramError(IgfeedError):
    """``code`` is the number in Instagram's error object, None if the reply had none."""

    hint = "Nothing to do: the feed shows what it has and tries again by itself."

    def __init__(self, message: str, hint: str | None = None, code: int | None = None) -> None:
        super().__init__(message, hint)
        self.code = code


class InstagramUnreachable(InstagramError):
    """``may_have_taken_effect`` is False if the request was never sent, so it cannot have changed anything."""

    def __init__(self, message: str, code: int | None = None, *, may_have_taken_effect: bool = True) -> None:
        super().__init__(message, code=code)
        self.may_have_taken_effect = may_have_taken_effect


class TooMuchAsked(InstagramUnreachable):
    """Asking for fewer posts at once may help."""


class RateLimited(InstagramError):
    """``retry_after`` is the pause that Instagram's headers ask for, None if they do not."""

    hint = "Nothing to do: calls are paused until Instagram takes them again."

    def __init__(self, message: str, code: int | None = None, retry_after: timedelta | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class TokenRejected(InstagramError):
    """``token`` is the fingerprint of the rejected token, None if unknown."""

    hint = TokenError.hint
    token: str | None = None


class TooYoung(InstagramError):
    """The token cannot be renewed yet."""

    hint = "A token younger than 24 hours cannot be renewed yet; it is used as it is and tried again by itself."


class PermissionRefused(InstagramError):
    hint = "Check in the app's dashboard at Meta that the account still grants `instagram_business_basic`."


class LoginRefused(InstagramError):
    hint = "Connect again. If it stays: compare the app's id, secret and redirect address with the app's page at Meta."


class LoginDenied(LoginRefused):
    hint = "Connect again and press Allow on Instagram's page. Nothing has changed."


class CodeSpent(LoginRefused):
    hint = "Connect again: each login can be used once, within an hour."


class WrongAppId(LoginRefused):
    hint = (
        "Take the Instagram app ID from the app's page at Meta, under `API setup with Instagram login`: "
        "it is another number than the app ID at the top of that page. Then connect again."
    )


class WrongAppSecret(LoginRefused):
    hint = (
        "Take the Instagram app secret from the app's page at Meta, under `API setup with Instagram login`, "
        "not the app secret of the settings. Then connect again."
    )


class WrongRedirect(LoginRefused):
    hint = (
        "Copy the redirect address from the studio into `Business login settings` on the app's page at Meta. "
        "Meta compares every letter: `www` and a final slash too."
    )


class NotATester(LoginRefused):
    hint = (
        "On the app's page at Meta, add the account as an Instagram Tester under `App roles`. Accept the invitation in "
        "Instagram, under Settings, Apps and websites, Tester invites. Then connect again."
    )


class PersonalAccount(LoginRefused):
    hint = (
        "Switch the account to a professional one in Instagram's settings, under Account type. "
        "It is free. Then connect again."
    )


class PermissionUnticked(LoginRefused):
    hint = "Connect again and leave the box for the profile and the posts ticked (`instagram_business_basic`)."


class UnexpectedAnswer(InstagramError):
    hint = (
        "If this stays: check at Meta that the app is live and that the account has accepted its tester role; "
        "the feed shows what it has."
    )
