"""The commands about accounts: ``accounts`` and ``remove-account``."""

import click

from igfeed.accounts.directory import current_accounts
from igfeed.errors import AccountNameRefused, IgfeedError
from igfeed.owner.all_accounts.report import reports_of_others
from igfeed.owner.post_commands import group
from igfeed.owner.status import Status, report
from igfeed.owner.terminal.account_option import NameRefused
from igfeed.owner.terminal.command_group import CommandForAll, one_line_errors
from igfeed.services import current

__all__ = ["group"]


class RemoveAccount(CommandForAll):
    takes = "It takes the NAME of one account"


@group.command("accounts", cls=CommandForAll)
@one_line_errors
def accounts() -> None:
    """List the accounts: name, user name, status."""
    found = {"(default)": report(current()), **reports_of_others(current_accounts())}
    rows = [_row(name, each) for name, each in found.items()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@group.command("remove-account", cls=RemoveAccount)
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@one_line_errors
def remove_account(name: str, yes: bool) -> None:  # noqa: FBT001  click passes by name
    """Delete the account NAME: its token, its posts and its pictures."""
    directory = current_accounts()
    try:
        directory.check_name(name)
    except AccountNameRefused as error:
        raise NameRefused(error) from None
    directory.get(name)  # Raises UnknownAccount before the question is asked.
    if not yes:
        _ask(f"Delete the token, the posts and the pictures of {name}?")
    directory.remove(name)
    click.echo(f"{name} is removed. Running servers stop showing it within IGFEED_CHECK_TTL.")


def _ask(question: str) -> None:
    """Raises IgfeedError unless the answer is yes. A script has no answer to give."""
    try:
        click.confirm(question, abort=True)
    except click.Abort:
        click.echo()  # The error begins a line of its own.
        raise IgfeedError("Nothing is removed: nobody has said yes.", "With --yes igfeed does not ask.") from None


def _row(name: str, found: Status) -> tuple[str, str, str]:
    user = f"@{found.account.username}" if found.account.username else ""
    return name, user, found.status.replace("_", " ")
