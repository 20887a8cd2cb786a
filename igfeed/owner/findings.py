"""What is wrong and what the owner can do about it, the worst first."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from igfeed.clock import SET_THE_CLOCK, clock_is_wrong
from igfeed.errors import (
    IgfeedError,
    InstagramError,
    NoPicture,
    PermissionRefused,
    StoreError,
    TokenError,
    TooYoung,
    WrongToken,
)
from igfeed.models import Failure, FeedSnapshot
from igfeed.owner.observation import Observation
from igfeed.owner.pages.account_addresses import hint_for

NOT_PERMITTED = PermissionRefused.__name__
TOO_YOUNG = TooYoung.__name__

Verdict = Literal["ok", "degraded", "action_required"]

SEVERITY: dict[Verdict, int] = {"ok": 0, "degraded": 1, "action_required": 2}
"""Higher is worse."""


@dataclass(frozen=True)
class Finding:
    """``problem`` says what is wrong, ``hint`` what to do. An "ok" finding is only worth knowing."""

    status: Verdict
    problem: str | None = None
    hint: str | None = None


def worst_finding(seen: Observation) -> Finding:
    """An "ok" finding without a problem if nothing is wrong."""
    return next(findings(seen), Finding("ok"))


def findings(seen: Observation) -> Iterator[Finding]:
    """All that is wrong, the worst first. What only a person can mend comes before what passes by itself."""
    for finding in _findings(seen):
        yield replace(finding, hint=hint_for(seen.account, finding.hint)) if finding.hint else finding


def _findings(seen: Observation) -> Iterator[Finding]:
    if seen.startup_error:
        yield _finding("action_required", seen.startup_error)
    yield from _expiry(seen)
    yield from _refusals(seen)
    yield from _store(seen)
    yield from _missing_token(seen)
    if seen.write_refusal:
        yield _finding("degraded", seen.write_refusal)
    if seen.tokens.source == "memory" and not seen.tokens.is_saved:
        yield Finding("degraded", "The renewed token is not saved yet.", StoreError.hint)
    if seen.snapshot and seen.snapshot.clock_ahead:
        yield Finding("degraded", clock_is_wrong(seen.snapshot.clock_ahead), SET_THE_CLOCK)
    yield from _failures(seen)
    if seen.snapshot:
        yield from _last_fetch(seen.snapshot)
    yield from _hooks(seen)
    if seen.snapshot:
        yield from _pictures(seen, seen.snapshot)


def _finding(status: Verdict, error: IgfeedError) -> Finding:
    return Finding(status, str(error), error.hint)


def _expiry(seen: Observation) -> Iterator[Finding]:
    if seen.token and seen.is_token_expired:
        problem = f"The access token expired on {seen.token.expires_at:%Y-%m-%d}."
        yield Finding("action_required", problem, TokenError.hint)


def _refusals(seen: Observation) -> Iterator[Finding]:
    """What Instagram refuses until a person has done something."""
    failure = seen.fetch_failure
    if failure and (seen.is_token_rejected or failure.kind == NOT_PERMITTED):
        yield Finding("action_required", failure.message, failure.hint)
    renewal = renewal_failure(seen)
    # A token of unknown age may be too young: Instagram may refuse its renewal in the same words.
    if renewal and renewal.kind == NOT_PERMITTED and seen.token and seen.token.issued_at:
        yield Finding("action_required", f"The last renewal failed: {renewal.message}", renewal.hint)


def _store(seen: Observation) -> Iterator[Finding]:
    if seen.read_error:
        yield _finding("degraded", seen.read_error)
    elif seen.tokens.store_error:
        yield _finding("degraded" if seen.token else "action_required", seen.tokens.store_error)


def _missing_token(seen: Observation) -> Iterator[Finding]:
    if problem := seen.tokens.environment_problem:
        yield Finding("degraded" if seen.token else "action_required", problem, WrongToken.hint)
    if not seen.token:
        yield Finding("action_required", "No access token is set up.", TokenError.hint)


def _failures(seen: Observation) -> Iterator[Finding]:
    if renewal := renewal_failure(seen):
        yield Finding("degraded", f"The last renewal failed: {renewal.message}", renewal.hint)
    if failure := seen.fetch_failure:
        yield Finding("degraded", failure.message, failure.hint)


def renewal_failure(seen: Observation) -> Failure | None:
    """The failed last renewal of the token in use. A token that is too young is no failure."""
    last, token = seen.tokens.last_renewal, seen.token
    failure = last.failure if last else None
    if failure is None or token is None or failure.kind == TOO_YOUNG:
        return None
    return failure if failure.token == token.fingerprint else None


def _last_fetch(snapshot: FeedSnapshot) -> Iterator[Finding]:
    """What the last fetch did not bring, so that the feed still shows the state before it."""
    if snapshot.unconfirmed_removals:
        missing = (
            f"Posts that are missing in Instagram's last list without a reason: {len(snapshot.unconfirmed_removals)}."
        )
        yield Finding("degraded", missing, "Nothing to do: they stay until another fetch says that they are gone.")
    if snapshot.unreadable_entries:
        unread = f"Posts of Instagram's last list that could not be read: {snapshot.unreadable_entries}."
        hint = "Those that the feed had stay as they were. If this stays: a newer igfeed may be able to read them."
        yield Finding("degraded", unread, hint)
    if not snapshot.is_complete:
        broken = "Instagram's last list broke off; the feed has the older posts as they were."
        yield Finding("degraded", broken, InstagramError.hint)


def _pictures(seen: Observation, snapshot: FeedSnapshot) -> Iterator[Finding]:
    overdue = len(seen.overdue_pictures())
    if overdue:
        problem = f"{overdue} pictures could not be had for more than an hour: visitors see placeholders."
        yield Finding("degraded", problem, "The log says why; `flask igfeed fetch` asks for them again at once.")
    absent = sum(post.picture.is_absent for post in snapshot.posts)
    if absent:
        problem = f"Instagram has no picture of {absent} of the posts: visitors see a tile with a sign in its place."
        yield Finding("ok", problem, NoPicture.hint)


def _hooks(seen: Observation) -> Iterator[Finding]:
    """The addresses that were not told of a new post."""
    for failed in seen.hooks().failed:
        problem = f"Address {failed.number} of IGFEED_ON_NEW_POST was not told of a new post. {failed.error}"
        next_try = "The next cron tries it again" if failed.is_tried_again else "It is told of the next new post again"
        yield Finding(
            "degraded", problem, f"{next_try}. If this stays: look whether its service still knows the address."
        )
