"""Decides which alert is due: compares what the owner has been told with the present state."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from igfeed.owner.alerts.episode import Episode
from igfeed.owner.findings import Finding, renewal_failure, worst_finding
from igfeed.owner.observation import Observation

WARNING_DAYS = (21, 14, 7, 3, 1)
"""Days before the token's expiry at which the owner is warned, as long as renewals fail."""

DAY = timedelta(days=1)

Kind = Literal["action_required", "expiring", "well"]


@dataclass(frozen=True)
class Alert:
    """``name`` identifies the alert within its episode, and is the same in all processes. It holds no secret."""

    kind: Kind
    name: str
    finding: Finding


def due_alert(episode: Episode, seen: Observation) -> Alert | None:
    """The alert to send now. None if the owner has been told everything, and during the pause after a failed try."""
    for alert in _alerts(episode, seen):
        if not episode.is_done(alert.name):
            return None if episode.is_paused(alert.name, seen.at) else alert
    return None


def _alerts(episode: Episode, seen: Observation) -> Iterator[Alert]:
    """What the owner should know by now, the most urgent first."""
    finding = worst_finding(seen)
    # The name has the lineage, so that the next token gets an alert of its own if it is rejected too.
    lineage = seen.token.lineage if seen.token else "no-token"
    if finding.status == "action_required":
        yield Alert("action_required", f"action-required:{lineage}", finding)
    if warning := _expiry_warning(seen):
        days, expiry = warning
        yield Alert("expiring", f"{days}-days:{expiry}:{lineage}", finding)
    if episode.is_open and finding.status != "action_required" and _is_well(seen):
        yield Alert("well", "well", finding)


def _expiry_warning(seen: Observation) -> tuple[int, str] | None:
    """The latest of WARNING_DAYS that has come, and the token's date of expiry. None while renewals succeed."""
    token = seen.token
    if token is None or token.expires_at is None or not renewal_failure(seen):
        return None
    if seen.is_token_expired or seen.is_token_rejected:
        return None
    left = token.expires_at - seen.at
    # Only the latest, so that a process that starts late does not send several warnings at once.
    days = min((days for days in WARNING_DAYS if left <= days * DAY), default=None)
    return None if days is None else (days, f"{token.expires_at:%Y-%m-%d}")


def _is_well(seen: Observation) -> bool:
    """Whether nothing is left that alerts are about. A missing picture, for example, does not count."""
    return not (seen.read_error or seen.fetch_failure or renewal_failure(seen)) and seen.snapshot is not None
