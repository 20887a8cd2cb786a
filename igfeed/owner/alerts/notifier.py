"""Sends the owner each alert once, whatever the number of processes."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from igfeed.errors import IgfeedError, StoreError
from igfeed.owner.alerts.addresses import alert_addresses
from igfeed.owner.alerts.due_alert import Alert, due_alert
from igfeed.owner.alerts.episode import EPISODE_KEY, Episode, episode_document
from igfeed.owner.alerts.message import message_of, message_of_test
from igfeed.owner.alerts.sender import Delivery, send
from igfeed.owner.observation import Observation, observe, observed_keys
from igfeed.owner.pages.account_addresses import studio_link
from igfeed.services import Services
from igfeed.stores import Store

log = logging.getLogger(__name__)

ALERT_CLAIM_TTL = timedelta(minutes=2)
"""How long other processes leave an alert to the one that has claimed it. Sending includes the import of Apprise."""


def notify(services: Services, prefix: str = "") -> None:
    """Send the alert that is due, if there is one. Raises nothing: errors are in the log and in the status.

    ``prefix`` is the last known one under which a proxy mounts the app, for a call outside of a request.
    It costs one store command if no alert is due. While the store is away nothing is sent, because no process can know
    whether another one has sent it.
    """
    if not alert_addresses(services.settings):
        return
    try:
        with services.store.read_ahead(*observed_keys(services), EPISODE_KEY):
            seen = observe(services)
            episode = episode_document(services.store).read().value or Episode()
            alert = due_alert(episode, seen)
        if alert:
            _send_once(services, alert, episode, seen, prefix)
    except StoreError as error:
        log.debug("Whether an alert is due cannot be told: %s", error)


def send_test(services: Services, others: Iterable[Services] = ()) -> list[Delivery]:
    """Send a test to every address, and return what became of it. Raises IgfeedError if there is no address.

    All accounts share the addresses, so the result is kept for the status of ``others`` too.
    """
    addresses = alert_addresses(services.settings)
    if not addresses:
        hint = "Set IGFEED_ALERTS; docs/alerts.md has an example for each service. The sample account sends none."
        raise IgfeedError("No address for alerts is set up.", hint)
    deliveries = send(message_of_test(studio_link(services)), addresses)
    for each in (services, *others):
        _note_error(each, deliveries)
    return deliveries


def _send_once(services: Services, alert: Alert, episode: Episode, seen: Observation, prefix: str = "") -> None:
    """Send the alert, unless another process is doing so or has done so since ``episode`` was read.

    The document is written before anything is sent. Otherwise a store that takes no writes would let the same alert be
    sent again and again.
    """
    document, now = episode_document(services.store), services.clock()
    if not _is_left_to_us(services.store, alert, episode):
        return
    addresses = alert_addresses(services.settings)
    if alert.kind == "well" and not episode.has_reached_owner:
        addresses = {}  # The owner was never told that something was wrong.
    episode = episode.trying(alert.name, addresses, now)
    document.write(episode)
    left = episode.unsent.addresses if episode.unsent else ()
    message = message_of(alert, seen, studio_link(services, prefix))
    deliveries = send(message, {number: addresses[number] for number in left})
    failed = [each.number for each in deliveries if each.error]
    episode = episode.tried(failed, _error(deliveries))
    document.write(episode.closed() if alert.kind == "well" and not episode.unsent else episode)


def _is_left_to_us(store: Store, alert: Alert, episode: Episode) -> bool:
    """Whether this process has claimed the alert, and no other one has changed the episode."""
    tries = episode.unsent.tries if episode.unsent else 0
    if not store.claim(f"claim:alert:{episode.number}:{alert.name}:{tries}", ALERT_CLAIM_TTL):
        return False
    # Compared after the claim, not before it: otherwise two processes could both pass the comparison.
    return (episode_document(store).read().value or Episode()) == episode


def _note_error(services: Services, deliveries: Sequence[Delivery]) -> None:
    """Keep the errors of a test for the status."""
    document = episode_document(services.store)
    try:
        episode = document.read().value or Episode()
        if episode.last_error != _error(deliveries):
            document.write(replace(episode, last_error=_error(deliveries)))
    except StoreError as error:
        log.warning("What became of the test cannot be kept: %s", error)


def _error(deliveries: Sequence[Delivery]) -> str | None:
    return " ".join(str(each) for each in deliveries if each.error) or None
