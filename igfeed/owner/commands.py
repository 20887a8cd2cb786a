"""``flask igfeed …`` as the app knows it: the name of a group. Its commands are loaded when somebody asks for one."""

import click
from flask import Flask


class LateGroup(click.Group):
    """Every process registers the commands, and almost none runs one.

    A name that it does not know is not repeated: it may be a token in the wrong place.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_bare = not args
        try:
            return super().parse_args(ctx, args)
        except click.UsageError:
            if is_bare:  # This one is the help.
                raise
            raise click.UsageError("There is no such option. See --help.", ctx) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            raise click.UsageError("There is no such command. See --help.", ctx) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._loaded().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._loaded().get_command(ctx, cmd_name)

    def _loaded(self) -> click.Group:
        from igfeed.owner.cli import group  # noqa: PLC0415  with the status, a tenth of Flask's own import

        return group


def init_app(app: Flask) -> None:
    app.cli.add_command(LateGroup("igfeed", help="Set up and look after the Instagram feed."))
