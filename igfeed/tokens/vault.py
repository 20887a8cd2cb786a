"""Which token to use: the one in the store, this process's copy, or the environment's.

A token in the store is replaced only by a better one, in one step that fails if another process was faster
(`Store.swap`). A process that has a better token than the store offers it again until the store accepts it.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from igfeed.clock import Clock
from igfeed.errors import StoreError, TokenMissing, WrongToken
from igfeed.models import Token
from igfeed.models.lineage import predecessors
from igfeed.models.token_choice import wins_over
from igfeed.stores import Store
from igfeed.tokens.copies import Copies
from igfeed.tokens.document import TokenDocument
from igfeed.tokens.encryption import Cipher
from igfeed.tokens.environment import EnvironmentToken
from igfeed.tokens.forgotten import ForgottenTokens

log = logging.getLogger(__name__)

MAX_SWAP_ATTEMPTS = 3
"""How often ``save`` tries if other processes are faster. After that it gives up until the token is next used."""

FORGOTTEN_VARIABLE = (
    "INSTAGRAM_ACCESS_TOKEN is not used: the account has withdrawn its consent, or asked for the deletion of its data."
)

Source = Literal["store", "memory", "environment"]


@dataclass(frozen=True)
class StoredToken:
    """The token to use, where it comes from, and whether the store has it.

    ``is_encryption_current`` is False if the store has it in another encryption than the settings want.
    ``store_error`` says why the store could not be read, None if it was read.
    ``incumbent`` is set if ``token`` is an untried new value of the environment variable. It is the token to go back
    to if Instagram rejects the new one.
    """

    token: Token
    source: Source
    is_saved: bool
    is_encryption_current: bool = True
    store_error: StoreError | None = None
    incumbent: "StoredToken | None" = None

    @property
    def tried(self) -> "StoredToken":
        """The token that has been in use: the incumbent if there is one, else this one."""
        return self.incumbent or self

    @property
    def needs_saving(self) -> bool:
        """Whether to offer the token to the store, which does not have it yet or has it in another encryption."""
        return self.source != "environment" and not (self.is_saved and self.is_encryption_current)


class TokenVault:
    """Finds and saves the token. Threads may share it."""

    def __init__(self, store: Store, clock: Clock, cipher: Cipher, from_environment: str | None) -> None:
        self._clock = clock
        self._document = TokenDocument(store, cipher)
        self._copies = Copies(clock)
        self._environment = EnvironmentToken(from_environment)
        self._forgotten = ForgottenTokens(store)

    @property
    def environment_problem(self) -> str | None:
        """Why the environment's token is not used, as far as is known. None if it is used or if there is none."""
        variable = self._environment.token
        if variable and self._forgotten.are_known_to_include(variable):
            return FORGOTTEN_VARIABLE
        return self._environment.problem

    def find(self) -> StoredToken | None:
        """The token to use, expired or not; None if there is none. Writes nothing.

        Raises StoreError if the store cannot be read and neither this process nor the environment has a token.
        """
        kept, variable = self._find_kept(), self._environment.token
        if variable is None:
            return kept
        if kept is None or self._environment.is_last_resort(kept.token, self._clock()):
            is_forgotten = self._forgotten.include(variable)
            return kept if is_forgotten else StoredToken(variable, "environment", is_saved=False)
        copies = self._copies.of_lineage(variable.lineage)
        candidate = self._environment.candidate(kept.token, copies, self._clock())
        if candidate is None or self._forgotten.include(candidate):
            return kept
        return StoredToken(candidate, "environment", is_saved=False, incumbent=kept)

    def find_or_none(self) -> StoredToken | None:
        """Like ``find``, but also None if the store cannot be read and nothing else has a token."""
        try:
            return self.find()
        except StoreError:
            return None

    def get(self) -> StoredToken:
        """Like ``find``, but without a token it raises TokenMissing, or WrongToken if the variable has another kind."""
        found = self.find()
        if found is None:
            if self.environment_problem:
                raise WrongToken(self.environment_problem)
            raise TokenMissing("No access token is set up.")
        return found

    def get_and_save(self) -> StoredToken:
        """Like ``get``, but first offers the store the token if it does not have it. Raises what ``get`` raises."""
        found = self.get()
        if not found.tried.needs_saving:
            return found
        self.save(found.tried.token)
        return self.get()

    def save(self, token: Token) -> None:
        """Use this token from now on, and store it unless the store has a better one by now.

        A store that fails raises nothing: the token stays in this process, and ``get_and_save`` offers it again.
        """
        # The copy comes first, so that the token is not lost if the store fails.
        self._copies.keep(token)
        try:
            # Compare-and-swap, because another process may store a better token between our read and our write.
            for _ in range(MAX_SWAP_ATTEMPTS):
                text, stored = self._document.read()
                if text is None and self._forgotten.include(token):
                    self._copies.forget()
                    return
                if not self._is_worth_storing(token, text, stored) or self._document.swap(text, token):
                    return
        except StoreError as error:
            log.warning("The token could not be saved and lives on in this process: %s", error)

    def replace(self, token: Token) -> None:
        """Store a token that a person has set up, whatever was there. Raises StoreError."""
        # The store comes first: if it fails, the owner sees the error and nothing has changed.
        self._document.write(token)
        self._copies.replace(token)
        with suppress(StoreError):  # The token is stored. The mark only matters while no token is.
            self._forgotten.remove(token)

    def forget(self) -> None:
        """Delete the token on request, so that no process brings it back. Raises StoreError; then it can be repeated.

        The variable's token counts as forgotten too, until the variable has another value.
        """
        stored = None
        with suppress(StoreError):  # What cannot be read is deleted too. If the store is away, the next command raises.
            stored = self._document.read().value
        known = (stored, self._copies.copy, self._environment.token)
        # The mark comes first, so that a process that renews the token at this moment finds it before it saves.
        self._forgotten.add([each for each in known if each], self._clock())
        self._document.delete()
        self._copies.forget()

    def forgotten_account_ids(self) -> frozenset[str]:
        """The ids of the account whose token was forgotten last. Raises StoreError."""
        return self._forgotten.account_ids()

    def fallbacks(self, rejected: StoredToken) -> Iterator[Token]:
        """Other unexpired tokens that may work if this one is rejected, the most likely one first, each value once.

        They are the token that the store has by now, this process's tokens of the same lineage, the environment's
        token, and the predecessors of all of them.
        """
        try:
            _, stored = self._document.read()
        except StoreError:
            stored = None
        known = [stored, *self._known_tokens(rejected)]
        tried, now = {rejected.token.value}, self._clock()
        for other in (*known, *(earlier for each in known if each for earlier in predecessors(each))):
            if other and other.value not in tried and not other.is_expired(now):
                tried.add(other.value)
                yield other

    def _known_tokens(self, rejected: StoredToken) -> Iterator[Token]:
        """Tokens known without asking the store. The rejected one is among them, as it may have a predecessor."""
        if rejected.incumbent:
            yield rejected.incumbent.token
        lineage = rejected.token.lineage
        # Only of the same lineage: another one may belong to another account, whose posts would appear.
        yield from self._copies.of_lineage(lineage)
        yield rejected.token
        variable = self._environment.token
        if variable and variable.lineage != lineage:
            yield variable

    def _find_kept(self) -> StoredToken | None:
        """The token that the store or this process has. Raises StoreError as ``find`` does."""
        try:
            text, stored = self._document.read()
        except StoreError as error:
            return self._find_without_store(error)
        best = self._copies.keep(stored) if stored else self._copies.copy
        if text is None and best and self._forgotten.include(best):
            self._copies.forget()
            return None
        if best is None or best != stored:
            # One empty read does not prove that the store has lost the token: a replica may lag.
            return StoredToken(best, "memory", is_saved=False) if best else None
        is_encryption_current = text is None or self._document.is_encryption_current(text)
        return StoredToken(best, "store", is_saved=True, is_encryption_current=is_encryption_current)

    def _find_without_store(self, error: StoreError) -> StoredToken:
        if copy := self._copies.copy:
            return StoredToken(copy, "memory", is_saved=copy == self._document.last.value, store_error=error)
        if variable := self._environment.token:
            return StoredToken(variable, "environment", is_saved=False, store_error=error)
        raise error

    def _is_worth_storing(self, token: Token, text: str | None, stored: Token | None) -> bool:
        """Whether the store should have ``token`` instead of ``stored``, which it has as ``text``."""
        if text is None or stored is None:
            return True
        is_better = wins_over(token, stored, self._clock())
        return is_better or (token == stored and not self._document.is_encryption_current(text))
