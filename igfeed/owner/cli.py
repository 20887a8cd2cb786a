"""The commands of ``flask igfeed``: what upkeep does, said at a terminal."""

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import click

from igfeed.accounts.directory import current_accounts
from igfeed.errors import IgfeedError
from igfeed.history import Event
from igfeed.models import Picture
from igfeed.models.pasted import pasted
from igfeed.models.token import TOKEN_LIFETIME
from igfeed.owner import upkeep
from igfeed.owner.alerts.notifier import send_test
from igfeed.owner.all_accounts.report import events_of_all, report_all
from igfeed.owner.findings import Verdict
from igfeed.owner.pages.account_addresses import hint_for
from igfeed.owner.status import Status, report
from igfeed.owner.terminal.account_option import chosen_account
from igfeed.owner.terminal.command_group import CommandForAll, DiscreetCommand, group, log_level, one_line_errors
from igfeed.owner.terminal.run_again import nothing_stored
from igfeed.owner.upkeep import SetUp
from igfeed.services import current
from igfeed.tokens.encryption import new_key
from igfeed.tokens.renewal import RenewalOutcome

__all__ = ["group", "progress_bar"]

MAX_EXPIRES_IN = TOKEN_LIFETIME // timedelta(seconds=1)
"""Seconds. No token lives longer, so a larger number is a mistake."""

CHECK_EXIT_CODES: dict[Verdict, int] = {"ok": 0, "degraded": 1, "action_required": 2}
"""The exit codes of ``status --check``."""

RENEWAL_SENTENCES = {
    RenewalOutcome.RENEWED: "The token was renewed.",
    RenewalOutcome.NOT_DUE: "The token was renewed within the last 24 hours; Instagram renews no younger one.",
    RenewalOutcome.TOO_YOUNG: "The token is younger than 24 hours; Instagram renews no younger one.",
    RenewalOutcome.LEFT_TO_OTHERS: "Another process is renewing the token right now.",
}


class SetupToken(DiscreetCommand):
    account = "may be new"
    takes = f"It takes [TOKEN] [EXPIRES_IN], the latter in seconds, 1 to {MAX_EXPIRES_IN}"


@group.command("setup-token", cls=SetupToken)
@click.argument("token", required=False)
@click.argument("expires_in", required=False, type=click.IntRange(1, MAX_EXPIRES_IN))
@click.option("--no-verify", is_flag=True, help="Store the token without asking Instagram about it.")
@one_line_errors
def setup_token(token: str | None, expires_in: int | None, no_verify: bool) -> None:  # noqa: FBT001  click passes by name
    """Check a long-lived access TOKEN with Instagram and store it.

    Without TOKEN, or with `-`, it is asked for without an echo, or read from standard input. EXPIRES_IN is how many
    seconds it still lives. Without it igfeed renews the token at once to learn that.
    """
    value = _read_token() if token in (None, "-") else _valid_token(token or "")
    life = timedelta(seconds=expires_in) if expires_in else None
    account = chosen_account()
    with nothing_stored(), current_accounts().setting_up(account) as services:
        done = upkeep.set_up(services, value, expires_in=life, verify=not no_verify)
    if done.account:
        click.echo(f"This is a token of @{done.account}.")
    if done.snapshot:
        click.echo(f"Fetched {len(done.snapshot.posts)} posts of @{done.snapshot.profile.username}.")
    if done.not_fetched:
        hint = hint_for(account, done.not_fetched.hint)
        click.echo(f"The feed could not be fetched yet: {done.not_fetched} {hint}", err=True)
    click.echo(_stored_sentence(done))


@group.command("status")
@click.option("--json", "as_json", is_flag=True, help="The same JSON as the status route.")
@click.option("--check", is_flag=True, help="Exit with 0 if all is ok, 1 if degraded, 2 if a person must act.")
@one_line_errors
def status(as_json: bool, check: bool) -> None:  # noqa: FBT001  click passes by name
    """Say how the token, the feed and the store are."""
    found = report(current()) if chosen_account() else report_all(current_accounts())
    rows = _status_lines(found)
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"{name:<{width}}{text}" for name, text in rows]
    click.echo(json.dumps(found.to_json(), indent=2) if as_json else "\n".join(lines))
    if check:
        click.get_current_context().exit(CHECK_EXIT_CODES[found.status])


@group.command("history")
@click.option("--json", "as_json", is_flag=True, help="The same JSON as the history route.")
@one_line_errors
def history(as_json: bool) -> None:  # noqa: FBT001  click passes by name
    """Show the last renewals and fetches, newest first."""
    events = current().history.events() if chosen_account() else events_of_all(current_accounts())
    lines = [_event_line(event) for event in events] or ["No renewal and no fetch yet."]
    found = {"events": [event.to_json() for event in events]}
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(lines))


@group.command("refresh")
@one_line_errors
def refresh() -> None:
    """Renew the token now."""
    click.echo(RENEWAL_SENTENCES[upkeep.refresh(current())])


@group.command("fetch")
@one_line_errors
def fetch() -> None:
    """Fetch the feed and mirror its pictures now."""
    done = upkeep.fetch(current(), progress_bar)
    snapshot, mirrored = done.snapshot, done.pictures
    click.echo(
        f"{len(snapshot.posts)} posts of @{snapshot.profile.username}; picture files: "
        f"{mirrored.stored} stored, {mirrored.kept} kept, {mirrored.failed} failed."
    )
    if mirrored.failed:
        raise IgfeedError("Some pictures could not be mirrored.", "The log says why. Run it again later.")


@group.command("test-alert", cls=CommandForAll)
@one_line_errors
def test_alert() -> None:
    """Send a test to every address of IGFEED_ALERTS, and say which took it."""
    deliveries = send_test(current(), current_accounts().reachable())
    for delivery in deliveries:
        click.echo(str(delivery))
    if any(delivery.error for delivery in deliveries):
        raise IgfeedError("Not every address took it.", "docs/alerts.md has an example for each service.")


@group.command("new-key", cls=CommandForAll)
@one_line_errors
def print_new_key() -> None:
    """Print a new key for IGFEED_ENCRYPTION_KEY."""
    click.echo(new_key())


@contextmanager
def progress_bar(pictures: Sequence[Picture]) -> Iterator[Iterable[Picture]]:
    """A bar on a terminal, nothing elsewhere. The log says which pictures failed."""
    bar = click.progressbar(pictures, label="Mirroring pictures", file=sys.stderr, hidden=not sys.stderr.isatty())
    with bar as progress, log_level("igfeed.feed", logging.WARNING):
        yield progress


def _read_token() -> str:
    """The token from a prompt that shows nothing, or from standard input if that is a pipe."""
    if sys.stdin.isatty():
        return _valid_token(click.prompt("Access token", hide_input=True))
    return _valid_token(sys.stdin.read())


def _valid_token(text: str) -> str:
    """The token in a pasted text. Raises UsageError, which does not repeat the text."""
    token = pasted(text)
    # Not checked further: only Instagram can tell whether it is a token.
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise click.UsageError("The token must be one word of plain characters: copy it again.")
    return token


def _stored_sentence(done: SetUp) -> str:
    """How long the stored token lives, and how sure that is."""
    expiry = done.token.expires_at
    if expiry is None:
        return (
            f"Stored. How long it lives is not known yet; it is renewed as soon as possible. {done.not_renewed or ''}"
        )
    if done.token.issued_at is None:
        reason = "Stored unseen" if done.account is None else "Stored. Instagram does not renew it yet"
        return (
            f"{reason}, so it counts as new and expires on {expiry:%Y-%m-%d %H:%M} UTC at the latest; "
            "a renewal is tried again by itself."
        )
    return f"Stored. It expires on {expiry:%Y-%m-%d %H:%M} UTC and is renewed long before that."


def _event_line(event: Event) -> str:
    done = f"{event.at:%Y-%m-%d %H:%M:%S} UTC  {event.what:<8} {event.by:<8} {event.outcome:<10}{event.ms:>6} ms"
    return "  ".join(text for text in (done, event.account, event.error) if text)


def _status_lines(found: Status) -> list[tuple[str, str]]:
    token, feed = found.token, found.feed
    life = f", {token.days_left:g} days left" if token.days_left is not None else ""
    expiry = f", expires {token.expires_at:%Y-%m-%d %H:%M} UTC" if token.expires_at else ""
    fetched = f", fetched {feed.fetched_at:%Y-%m-%d %H:%M} UTC" if feed.fetched_at else ", never fetched"
    renewal = found.last_renewal
    lines = [
        ("Status", found.status.replace("_", " ")),
        ("Problem", found.problem or ""),
        ("To do", found.hint or ""),
        ("Account", f"@{found.account.username}" if found.account.username else ""),
        ("Token", f"{token.state} (from {token.source}){expiry}{life}" if token.present else "none"),
        ("Renewal", f"{renewal.outcome} on {renewal.at:%Y-%m-%d %H:%M} UTC" if renewal.at else "none yet"),
        ("Feed", f"{feed.posts} posts{fetched}"),
        ("Store", f"{found.store.kind}, {'reachable' if found.store.reachable else 'out of reach'}"),
        ("Alerts", found.alerts.last_error or ("set up" if found.alerts.configured else "not set up")),
        *((name, each.status.replace("_", " ")) for name, each in found.accounts.items()),
    ]
    return [(name, text) for name, text in lines if text]
