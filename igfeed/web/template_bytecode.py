"""A cache of compiled templates, beside the templates as Python's is beside its modules.

Without this, each process compiles them at its start, which takes a fifth of the time to import Flask.
"""

import sys
from contextlib import suppress
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket


class TemplateBytecode(FileSystemBytecodeCache):
    """If the folder or a file in it cannot be used, the template is compiled again.

    Jinja uses a file only if it was made from the present text of the template, by this version of Python.
    """

    def __init__(self, templates: Path) -> None:
        super().__init__(str(templates / "__pycache__"))

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001  a truncated pickle may raise anything
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)
