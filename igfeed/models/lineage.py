"""How one token replaces another, and what the new one remembers of the old one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from igfeed.models.token import Token

MAX_PREDECESSORS = 4
"""A token remembers at most so many. More set-ups in a row with tokens that do not work are not to be expected."""


def next_snapshot(old: Token, renewed: Token) -> Token:
    """``renewed`` as the token that a renewal of ``old`` has returned.

    It remembers ``old`` only if the value has changed: the same value cannot serve as its own fallback.
    """
    return replace(
        renewed,
        predecessor=None if renewed.value == old.value else replace(old, predecessor=None),
        origin=old.lineage,
        from_environment=old.from_environment,
        refused=old.refused - {renewed.fingerprint},
        revision=old.revision + 1,
    )


def predecessors(token: Token) -> Iterator[Token]:
    """Its predecessor, then that one's predecessor, and so on."""
    each = token.predecessor
    while each:
        yield each
        each = each.predecessor


def with_predecessors(token: Token, earlier: Sequence[Token]) -> Token:
    """``token`` with these tokens as its chain of predecessors. The most promising one comes first."""
    if len(earlier) > MAX_PREDECESSORS:
        # The last one is kept in any case: it is the one that has worked.
        earlier = [*earlier[: MAX_PREDECESSORS - 1], earlier[-1]]
    chain = None
    for each in reversed(earlier):
        chain = replace(each, predecessor=chain)
    return replace(token, predecessor=chain)


def replacing_rejected(token: Token, rejected: Token) -> Token:
    """``token`` after it has worked where Instagram rejects ``rejected``, which it remembers as refused."""
    # The whole other lineage is refused, so that a process that still has a token of it does not bring it back.
    lineage = {rejected.lineage} if rejected.lineage != token.lineage else set()
    refused = token.refused | rejected.refused | {rejected.fingerprint} | lineage
    revision = max(token.revision, rejected.revision) + 1
    return replace(token, predecessor=None, refused=refused - {token.fingerprint}, revision=revision)


def replacing_by_choice(token: Token, replaced: Token) -> Token:
    """``token`` after it has worked and a person prefers it. ``replaced`` may work too and stays its predecessor."""
    return replace(replacing_rejected(token, replaced), predecessor=replace(replaced, predecessor=None))


def confirmed(token: Token) -> Token:
    """``token`` after a read has succeeded with it: its predecessor is no longer needed.

    One exception: a token of a changed environment variable keeps its predecessor until its first renewal.
    """
    replaced = token.predecessor
    # Its expiry is unknown until then: it may be a token that dies tomorrow.
    is_from_changed_variable = replaced and replaced.lineage != token.lineage and token.from_environment
    if is_from_changed_variable and token.issued_at is None:
        return token
    return replace(token, predecessor=None)
