"""The commands about posts. ``choosing`` does the work."""

from collections.abc import Callable, Sequence

import click

from igfeed.feed.rules.arrangement import ListedPost
from igfeed.models import Choices, KeptPost
from igfeed.owner import choosing
from igfeed.owner.cli import group
from igfeed.owner.terminal.command_group import DiscreetCommand, one_line_errors
from igfeed.services import Services, current
from igfeed.texts.sentences import shortened

__all__ = ["group"]

MAX_CAPTION = 50
"""Characters of a caption in the list of posts."""

Choose = Callable[[Services, Sequence[str]], Choices]


class PostsCommand(DiscreetCommand):
    takes = "It takes one or more posts, each by its media id, its shortcode or its address"


@group.command("hide", cls=PostsCommand)
@click.argument("posts", nargs=-1, required=True)
@one_line_errors
def hide(posts: tuple[str, ...]) -> None:
    """Do not show these POSTS. Each is named by its media id, its shortcode or its address."""
    _choose(choosing.hide, posts)


@group.command("show", cls=PostsCommand)
@click.argument("posts", nargs=-1, required=True)
@one_line_errors
def show(posts: tuple[str, ...]) -> None:
    """Show these POSTS again, and approve those that wait for approval."""
    for each in _choose(choosing.show, posts):
        if each.reason and any(choosing.is_named(each.post, name) for name in posts):
            click.echo(f"{each.post.id} is not shown all the same: {each.reason}.")


@group.command("pin", cls=PostsCommand)
@click.argument("posts", nargs=-1, required=True)
@one_line_errors
def pin(posts: tuple[str, ...]) -> None:
    """Show these POSTS first. Up to three can be pinned."""
    _choose(choosing.pin, posts)


@group.command("unpin", cls=PostsCommand)
@click.argument("posts", nargs=-1, required=True)
@one_line_errors
def unpin(posts: tuple[str, ...]) -> None:
    """Put these POSTS back among the others."""
    _choose(choosing.unpin, posts)


@group.command("posts")
@one_line_errors
def posts() -> None:
    """List the kept posts, newest first, and why visitors do not see some of them."""
    rows = [_row(each) for each in choosing.listed(current())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
    if not rows:
        click.echo("There are no posts yet. `flask igfeed fetch` fetches them.")


def _choose(choose: Choose, names: Sequence[str]) -> list[ListedPost]:
    """Make the choice, fill the feed up, and print how many posts visitors see now. Returns all kept posts."""
    services = current()
    choose(services, names)
    choosing.fill(services)
    listed = choosing.listed(services)
    click.echo(f"Done. Visitors see {sum(each.is_shown for each in listed)} of {len(listed)} posts.")
    return listed


def _row(each: ListedPost) -> tuple[str, ...]:
    post = each.post
    pin = f"pinned {each.pin}" if each.pin else "shown"
    return (
        post.id,
        f"{post.timestamp:%Y-%m-%d}" if post.timestamp else "",
        KeptPost.of(post.media_type, None).type,
        str(each.reason or pin),
        each.link.url if each.link else "",
        shortened(" ".join((post.caption or "").split()), MAX_CAPTION),
    )
