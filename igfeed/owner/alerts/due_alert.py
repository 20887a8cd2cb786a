"""Which alert is due, if any: from what the owner has been told and from how everything is."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from igfeed.owner.alerts.episode import Episode
from igfeed.owner.findings import Finding, renewal_failure, worst_finding
from igfeed.owner.observation import Observation

WARNING_DAYS = (21, 14, 7, 3, 1)
"""With so many days left there is a warning if the token cannot be renewed."""

DAY = timedelta(days=1)

Kind = Literal["action_required", "expiring", "well"]


@dataclass(frozen=True)
class Alert:
    """``name`` is the same in all processes and differs from all other alerts of the episode. It holds no secret."""

    kind: Kind
    name: str
    finding: Finding


def due_alert(episode: Episode, seen: Observation) -> Alert | None:
    """The alert to send now, None if the owner knows how everything is or a failed try's pause lasts."""
    for alert in _alerts(episode, seen):
        if not episode.is_done(alert.name):
            return None if episode.is_paused(alert.name, seen.at) else alert
    return None


def _alerts(episode: Episode, seen: Observation) -> Iterator[Alert]:
    """What the owner should know by now, the most urgent first."""
    finding = worst_finding(seen)
    # The lineage, so that another token that is rejected too gets an alert of its own.
    lineage = seen.token.lineage if seen.token else "no-token"
    if finding.status == "action_required":
        yield Alert("action_required", f"action-required:{lineage}", finding)
    if warning := _expiry_warning(seen):
        days, expiry = warning
        yield Alert("expiring", f"{days}-days:{expiry}:{lineage}", finding)
    if episode.is_open and finding.status != "action_required" and _is_well(seen):
        yield Alert("well", "well", finding)


def _expiry_warning(seen: Observation) -> tuple[int, str] | None:
    """The warning that is due, by its days, and the token's date of expiry. None while renewals succeed."""
    token = seen.token
    if token is None or token.expires_at is None or not renewal_failure(seen):
        return None
    if seen.is_token_expired or seen.is_token_rejected:
        return None
    left = token.expires_at - seen.at
    # Only the latest: a process that comes late does not send one after the other.
    days = min((days for days in WARNING_DAYS if left <= days * DAY), default=None)
    return None if days is None else (days, f"{token.expires_at:%Y-%m-%d}")


def _is_well(seen: Observation) -> bool:
    """Whether what alerts are about is over. A picture that is missing, for example, is no matter for an alert."""
    return not (seen.read_error or seen.fetch_failure or renewal_failure(seen)) and seen.snapshot is not None
