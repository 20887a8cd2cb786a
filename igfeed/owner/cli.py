"""``flask igfeed …``: set up, look, renew, fetch, from a terminal."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from typing import ParamSpec

import click
from flask.cli import AppGroup

from igfeed.clock import Deadline
from igfeed.errors import IgfeedError
from igfeed.models.pasted import pasted
from igfeed.models.token import TOKEN_LIFETIME
from igfeed.owner import upkeep
from igfeed.owner.status import Status, Verdict, report
from igfeed.owner.upkeep import SetUp, set_up
from igfeed.services import Services, current
from igfeed.tokens.encryption import new_key
from igfeed.tokens.renewal import RenewalOutcome

MAX_EXPIRES_IN = TOKEN_LIFETIME // timedelta(seconds=1)

EXIT_CODES: dict[Verdict, int] = {"ok": 0, "degraded": 1, "action_required": 2}
"""Of ``status --check``."""

SENTENCES = {
    RenewalOutcome.RENEWED: "The token was renewed.",
    RenewalOutcome.NOT_DUE: "The token was renewed within the last 24 hours; Instagram renews no younger one.",
    RenewalOutcome.TOO_YOUNG: "The token is younger than 24 hours; Instagram renews no younger one.",
    RenewalOutcome.LEFT_TO_OTHERS: "Another process is renewing the token right now.",
}

Params = ParamSpec("Params")


class DiscreetCommand(click.Command):
    """If the arguments are wrong, says what it takes. Does not repeat them, because one may be a token."""

    takes = "These arguments do not fit"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError:
            raise click.UsageError(f"{self.takes}. See --help.", ctx) from None


class Commands(AppGroup):
    command_class = DiscreetCommand


group = Commands("igfeed", help="Set up and look after the Instagram feed.")


class NotDone(click.ClickException):
    """Exit 1, with one line that says what happened and what to do."""

    def __init__(self, error: IgfeedError) -> None:
        super().__init__(f"{error} {error.hint}")


@contextmanager
def heard_from(name: str, level: int) -> Iterator[None]:
    """The log of that name says only what is as grave as that, unless the owner has chosen a level."""
    log = logging.getLogger(name)
    before = log.level
    if current().settings.log_level == "INFO":
        log.setLevel(level)
    try:
        yield
    finally:
        log.setLevel(before)


class SetupToken(DiscreetCommand):
    takes = f"It takes [TOKEN] [EXPIRES_IN], the latter in seconds, 1 to {MAX_EXPIRES_IN}"


def one_line_errors(command: Callable[Params, None]) -> Callable[Params, None]:
    @wraps(command)
    def wrapped(*args: Params.args, **kwargs: Params.kwargs) -> None:
        with heard_from("igfeed", logging.ERROR):
            try:
                command(*args, **kwargs)
            except IgfeedError as error:
                raise NotDone(error) from None

    return wrapped


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
    value = _asked_for() if token in (None, "-") else _checked(token or "")
    life = timedelta(seconds=expires_in) if expires_in else None
    done = set_up(current(), value, life=life, is_checked=not no_verify)
    if done.account:
        click.echo(f"This is a token of @{done.account}.")
    if done.snapshot:
        click.echo(f"Fetched {len(done.snapshot.posts)} posts of @{done.snapshot.profile.username}.")
    if done.not_fetched:
        click.echo(f"The feed could not be fetched yet: {done.not_fetched} {done.not_fetched.hint}", err=True)
    click.echo(_stored(done))


@group.command("status")
@click.option("--json", "as_json", is_flag=True, help="The same JSON as the status route.")
@click.option("--check", is_flag=True, help="Exit with 0 if all is ok, 1 if degraded, 2 if a person must act.")
@one_line_errors
def status(as_json: bool, check: bool) -> None:  # noqa: FBT001  click passes by name
    """Say how the token, the feed and the store are."""
    found = report(current())
    lines = [f"{name:<9}{text}" for name, text in _lines(found)]
    click.echo(json.dumps(found.to_json(), indent=2) if as_json else "\n".join(lines))
    if check:
        click.get_current_context().exit(EXIT_CODES[found.status])


@group.command("refresh")
@one_line_errors
def refresh() -> None:
    """Renew the token now."""
    click.echo(SENTENCES[upkeep.refresh(current())])


@group.command("fetch")
@one_line_errors
def fetch() -> None:
    """Fetch the feed and mirror its pictures now."""
    services = _services_with_store()
    snapshot = services.feed.fetch()
    pictures = list(snapshot.pictures())
    bar = click.progressbar(pictures, label="Mirroring pictures", file=sys.stderr, hidden=not sys.stderr.isatty())
    with bar as progress, heard_from("igfeed.feed.pictures", logging.WARNING):
        mirrored = services.pictures.mirror(progress, Deadline(float("inf")))
    services.feed.paint()
    click.echo(
        f"{len(snapshot.posts)} posts of @{snapshot.profile.username}; picture files: "
        f"{mirrored.stored} stored, {mirrored.kept} kept, {mirrored.failed} failed."
    )
    if mirrored.failed:
        raise IgfeedError("Some pictures could not be mirrored.", "The log says why. Run it again later.")


@group.command("new-key")
def print_new_key() -> None:
    """Print a new key for IGFEED_ENCRYPTION_KEY."""
    click.echo(new_key())


def _services_with_store() -> Services:
    """Raises StoreError where a renewed token could not be kept: it would end here, the old one perhaps with it."""
    services = current()
    services.store.check_writable()
    if error := services.tokens.report().store_error:
        raise error
    return services


def _asked_for() -> str:
    if sys.stdin.isatty():
        return _checked(click.prompt("Access token", hide_input=True))
    return _checked(sys.stdin.read())


def _checked(text: str) -> str:
    token = pasted(text)
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise click.UsageError("The token must be one word of plain characters: copy it again.")
    return token


def _stored(done: SetUp) -> str:
    """What there is to say of the stored token's life, and how sure that is."""
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


def _lines(found: Status) -> list[tuple[str, str]]:
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
    ]
    return [(name, text) for name, text in lines if text]
