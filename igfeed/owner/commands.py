"""The command group ``flask igfeed``. Its commands are imported when somebody runs one."""

import click
from flask import Flask

from igfeed.owner.terminal.account_option import AccountOption


class LazyGroup(click.Group):
    """A group that imports its commands late, because every process registers them and almost none runs one.

    Its errors do not repeat an unknown name or option: it may be a token in the wrong place.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_bare = not args
        try:
            return super().parse_args(ctx, args)
        except click.UsageError:
            if is_bare:  # Without arguments, click raises the help text as an error.
                raise
            raise click.UsageError("There is no such option, or it lacks its value. See --help.", ctx) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            raise click.UsageError("There is no such command. See --help.", ctx) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._import().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._import().get_command(ctx, cmd_name)

    def _import(self) -> click.Group:
        # It takes a tenth of the time that Flask's own import takes. Each module adds its commands to those before it.
        from igfeed.owner.export.command import group  # noqa: PLC0415

        return group


def init_app(app: Flask) -> None:
    group = LazyGroup("igfeed", help="Set up and look after the Instagram feed.", params=[AccountOption()])
    app.cli.add_command(group)
