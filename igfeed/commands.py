"""``flask igfeed …`` as the app knows it: the name of a group. Its commands are loaded when somebody asks for one."""

import click
from flask import Flask


class LateGroup(click.Group):
    """Every process registers the commands, and almost none runs one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._loaded().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._loaded().get_command(ctx, cmd_name)

    def _loaded(self) -> click.Group:
        from igfeed.cli import group  # noqa: PLC0415  with the status, a tenth of Flask's own import

        return group


def init_app(app: Flask) -> None:
    app.cli.add_command(LateGroup("igfeed", help="Set up and look after the Instagram feed."))
