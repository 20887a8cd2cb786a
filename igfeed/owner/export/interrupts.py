"""Ctrl-C, which has to wait while the files of an export are half moved."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class HeldInterrupts:
    """Whether Ctrl-C was pressed in the meantime."""

    def __init__(self) -> None:
        self._came = False

    def note(self, *_: object) -> None:
        self._came = True

    def raise_noted(self) -> None:
        if self._came:
            raise KeyboardInterrupt


@contextmanager
def hold_interrupts() -> Iterator[HeldInterrupts]:
    """Inside the block Ctrl-C is only noted. The block decides when it may be raised. After the block it is dropped.

    Where no Ctrl-C can arrive, nothing is held: outside of the main thread, or if the process ignores the signal.
    """
    held, before = HeldInterrupts(), signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in {None, signal.SIG_IGN}:
        yield held
        return
    signal.signal(signal.SIGINT, held.note)
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, before)
