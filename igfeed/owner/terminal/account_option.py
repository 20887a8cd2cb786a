"""The option ``--account NAME``. It stands before or after a command's name."""

from typing import Any

import click

from igfeed.accounts.directory import current_accounts
from igfeed.errors import AccountNameRefused

GIVEN = "igfeed account"
"""The given names are under this key in click's ``meta``, which a command shares with its group."""


class AccountOption(click.Option):
    def __init__(self) -> None:
        help_ = "The account to do it for, in place of the default one."
        super().__init__(["--account"], metavar="NAME", expose_value=False, callback=_note, help=help_)


class NameRefused(click.ClickException):
    """Exit code 2, and one line on standard error. It does not repeat a text that is not a name: it may be a token."""

    exit_code = 2

    def __init__(self, error: AccountNameRefused) -> None:
        super().__init__(f"{error} {error.hint}")


def chosen_account() -> str | None:
    """The name of the account that the current command is for, None for the default one. It may be unknown.

    Raises NameRefused, and UsageError if two names were given.
    """
    given = set(click.get_current_context().meta.get(GIVEN, ()))
    if len(given) > 1:
        raise click.UsageError("--account is given twice, with two names.")
    for name in given:
        try:
            current_accounts().check_name(name)
        except AccountNameRefused as error:
            raise NameRefused(error) from None
        return str(name)
    return None


def _note(ctx: click.Context, _: click.Parameter, value: Any) -> None:
    if value is not None:
        ctx.meta.setdefault(GIVEN, []).append(value)
