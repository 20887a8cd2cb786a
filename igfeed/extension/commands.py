"""``flask igfeed`` in the host's app."""

from typing import Any

import click
from flask import Flask

from igfeed.owner.commands import LazyGroup


class MountedCommands(LazyGroup):
    """The commands of the mounted app. It is the current app for them, as it is for its routes."""

    def __init__(self, inner: Flask) -> None:
        group = inner.cli.commands["igfeed"]
        super().__init__(group.name, help=group.help, params=group.params)
        self._inner = inner

    def invoke(self, ctx: click.Context) -> Any:
        with self._inner.app_context():
            return super().invoke(ctx)
