"""The group ``flask igfeed``, and what its commands share: how they take arguments and accounts, and report errors."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Literal, ParamSpec

import click
from flask.cli import AppGroup

from igfeed.accounts.directory import current_accounts
from igfeed.errors import IgfeedError
from igfeed.owner.pages.account_addresses import hint_for
from igfeed.owner.terminal.account_option import AccountOption, chosen_account
from igfeed.owner.terminal.run_again import hint_after_command
from igfeed.services import Services, acting_for, current

Params = ParamSpec("Params")


class DiscreetCommand(click.Command):
    """If its arguments are wrong, it says what it takes. It never repeats them: one may be a token.

    ``account`` says which accounts the option ``--account`` takes: one that exists, also a new one, or none because
    the command is not for one account.
    """

    takes = "These arguments do not fit"
    account: Literal["exists", "may be new", "none"] = "exists"

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        if self.account != "none":
            self.params.append(AccountOption())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError:
            # Not chained: the original error quotes the argument.
            raise click.UsageError(f"{self.takes}. See --help.", ctx) from None


class Commands(AppGroup):
    command_class = DiscreetCommand


group = Commands("igfeed", help="Set up and look after the Instagram feed.")


class CommandFailed(click.ClickException):
    """Exit code 1, and one line on standard error: what happened, what to do."""

    def __init__(self, error: IgfeedError) -> None:
        super().__init__(f"{error} {hint_for(chosen_account(), hint_after_command(error.hint))}")


@contextmanager
def log_level(name: str, level: int) -> Iterator[None]:
    """Inside the block the logger ``name`` has this level, unless the owner has set IGFEED_LOG_LEVEL."""
    log = logging.getLogger(name)
    before = log.level
    # INFO is the default, so any other level was chosen by the owner.
    if current().settings.log_level == "INFO":
        log.setLevel(level)
    try:
        yield
    finally:
        log.setLevel(before)


class CommandForAll(DiscreetCommand):
    """A command that has nothing to do with one account."""

    account = "none"
    takes = "It is for all accounts and takes no arguments"


def one_line_errors(command: Callable[Params, None]) -> Callable[Params, None]:
    """Turns an IgfeedError into one line. The log shows errors only, because it would repeat that line.

    ``current`` gives the services of the account that the command is for.
    """

    @wraps(command)
    def wrapped(*args: Params.args, **kwargs: Params.kwargs) -> None:
        with log_level("igfeed", logging.ERROR):
            try:
                with acting_for(_chosen_services()):
                    command(*args, **kwargs)
            except IgfeedError as error:
                raise CommandFailed(error) from None

    return wrapped


def _chosen_services() -> Services | None:
    """The services of the account that ``--account`` names. None for the default one, or if it may be a new one.

    Raises UnknownAccount, StoreError, and click's errors.
    """
    name, command = chosen_account(), click.get_current_context().command
    use = command.account if isinstance(command, DiscreetCommand) else "exists"
    if name and use == "none":
        raise click.UsageError(f"`{command.name}` is not for one account: leave --account out.")
    return current_accounts().get(name) if name and use == "exists" else None
