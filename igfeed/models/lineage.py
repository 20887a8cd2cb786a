"""How one token replaces another, and what the new one remembers of the old one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from igfeed.models.token import Token

MAX_PREDECESSORS = 4
"""The most predecessors that a token remembers. More are needed only after many set-ups in a row that do not work."""


def successor(old: Token, renewed: Token) -> Token:
    """``renewed`` as the token that a renewal of ``old`` has returned.

    It remembers ``old`` only if the value has changed: the same value cannot serve as its own fallback.
    """
    return replace(
        renewed,
        # The new token remembers one predecessor only: the old token has just worked, so older ones are not needed.
        predecessor=None if renewed.value == old.value else replace(old, predecessor=None),
        origin=old.lineage,
        from_environment=old.from_environment,
        refused=old.refused - {renewed.fingerprint},
        account_ids=old.account_ids,
        revision=old.revision + 1,
    )


def predecessors(token: Token) -> Iterator[Token]:
    """The token's predecessor, then the predecessor of that one, and so on."""
    each = token.predecessor
    while each:
        yield each
        each = each.predecessor


def with_predecessors(token: Token, earlier: Sequence[Token]) -> Token:
    """``token`` with ``earlier`` as its chain of predecessors, the one that most likely works first."""
    if len(earlier) > MAX_PREDECESSORS:
        # The last one is kept in any case: it is the one that has worked.
        earlier = [*earlier[: MAX_PREDECESSORS - 1], earlier[-1]]
    chain = None
    for each in reversed(earlier):
        chain = replace(each, predecessor=chain)
    return replace(token, predecessor=chain)


def replacing_rejected(token: Token, rejected: Token) -> Token:
    """``token`` in place of ``rejected``, after Instagram has rejected the latter and accepted ``token``.

    The result remembers ``rejected`` as refused.
    """
    # The whole other lineage is refused, so that a process that still has a token of it does not bring it back.
    lineage = {rejected.lineage} if rejected.lineage != token.lineage else set()
    refused = token.refused | rejected.refused | {rejected.fingerprint} | lineage
    revision = max(token.revision, rejected.revision) + 1
    return replace(token, predecessor=None, refused=refused - {token.fingerprint}, revision=revision)


def replacing_by_choice(token: Token, replaced: Token) -> Token:
    """``token`` in place of ``replaced``, after Instagram accepted it and because a person prefers it.

    ``replaced`` may still work, so it becomes the predecessor.
    """
    return replace(replacing_rejected(token, replaced), predecessor=replace(replaced, predecessor=None))


def confirmed(token: Token) -> Token:
    """``token`` after a read has succeeded with it: its predecessor is no longer needed.

    One exception: a token of a changed environment variable keeps its predecessor until its first renewal.
    """
    replaced = token.predecessor
    # Its expiry is unknown until then: it may expire tomorrow.
    is_from_changed_variable = replaced and replaced.lineage != token.lineage and token.from_environment
    if is_from_changed_variable and token.issued_at is None:
        return token
    return replace(token, predecessor=None)
