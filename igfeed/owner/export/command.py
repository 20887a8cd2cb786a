"""The command ``flask igfeed export``: fetch, then write the feed as files."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import click
from flask import current_app

from igfeed.errors import IgfeedError
from igfeed.models import FeedSnapshot
from igfeed.owner import upkeep
from igfeed.owner.all_accounts.commands import group
from igfeed.owner.cli import progress_bar
from igfeed.owner.export.folder import NewExport, new_export
from igfeed.owner.export.site import Site
from igfeed.owner.terminal.command_group import DiscreetCommand, one_line_errors
from igfeed.services import Services, current
from igfeed.web.addresses import request_origin
from igfeed.widget.options import Options

__all__ = ["group"]

PATH = re.compile(r"(/[\w.~-]+)*/?", re.ASCII)

NO_BASE = (
    "Without --base-url or BASE_URL there are no feed.json, feed.xml, behold.json and fragment.html: "
    "they need absolute addresses."
)


class FolderPath(click.Path):
    """A path that is not empty. An empty one comes from a shell variable that is not set."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not value:
            self.fail("It is empty.", param, ctx)
        return super().convert(value, param, ctx)


class ExportCommand(DiscreetCommand):
    takes = "It takes one FOLDER"


@group.command("export", cls=ExportCommand)
@click.argument("folder", type=FolderPath(path_type=Path))
@click.option("--base-url", help="The address that the folder will have, such as https://me.github.io/feed.")
@click.option("--options", "query", default="", help="Options of the pages, such as 'columns=4&captions=1'.")
@one_line_errors
def export(folder: Path, base_url: str | None, query: str) -> None:
    """Fetch the feed and write its pages, pictures and documents to FOLDER, for a host that serves files.

    If a fetch fails, the posts before are written, and the command fails at its end.
    """
    services, base, query = current(), _base(base_url), _options(query)
    with new_export(folder) as files:
        problem = _fetch(services)
        snapshot = _snapshot(services, folder, problem)
        base = base or services.settings.base_url
        Site(current_app, files, snapshot.version, account=services.account, base=base, query=query).write()
    click.echo(_written(snapshot, folder, files))
    if not base:
        click.echo(NO_BASE)
    if problem:
        raise problem


def _fetch(services: Services) -> IgfeedError | None:
    """Fetch the feed and mirror its pictures. Returns what failed."""
    try:
        pictures = upkeep.fetch(services, progress_bar).pictures
    except IgfeedError as error:
        return error
    if not pictures.failed:
        return None
    return IgfeedError(
        f"{pictures.failed} picture files could not be fetched.", "The log says why. Run it again later."
    )


def _snapshot(services: Services, folder: Path, problem: IgfeedError | None) -> FeedSnapshot:
    """What to write. Raises IgfeedError if there is nothing."""
    snapshot = services.feed.current().snapshot
    if snapshot:
        return snapshot
    if services.feed.is_removed():
        raise IgfeedError("The posts were removed on request.", f"If {folder} still has them, remove it.")
    raise problem or IgfeedError("There is no feed to export.")


def _written(snapshot: FeedSnapshot, folder: Path, files: NewExport) -> str:
    posts = f"{len(snapshot.posts)} posts of @{snapshot.profile.username}"
    return f"{posts}, fetched {snapshot.fetched_at:%Y-%m-%d %H:%M} UTC: {len(files.names)} files in {folder}."


def _base(text: str | None) -> str | None:
    """The address without a final slash. Raises UsageError if it is not an address."""
    if text is None:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:  # Such as a bracket that is not closed.
        parts = urlsplit("")
    origin = request_origin(parts.scheme, parts.netloc)
    if origin is None or not PATH.fullmatch(parts.path) or parts.query or parts.fragment:
        raise click.UsageError("--base-url takes an address such as https://me.github.io/feed.")
    return f"{origin}{parts.path.rstrip('/')}"


def _options(text: str) -> str:
    """The query string. Raises UsageError for an unknown option or a bad value."""
    table, pairs = Options.table(), parse_qsl(text, keep_blank_values=True)
    for name, value in pairs:
        row = table.get(name) if name != "page" else None
        if row is None or row.kind.parse(value) is None:
            raise click.UsageError(f"--options has {name}={value}, which docs/options.md does not know.")
    return urlencode(pairs)
