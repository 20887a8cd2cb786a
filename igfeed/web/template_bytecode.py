"""Compiled templates, kept beside them as Python keeps compiled modules.

Without this, each process compiles them at its start, which takes a fifth of the time to import Flask.
"""

import sys
from contextlib import suppress
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket


class TemplateBytecode(FileSystemBytecodeCache):
    """The cache is optional: if its folder or a file in it cannot be used, the template is compiled again.

    Jinja checks that a cached file belongs to the present text of the template and to this Python.
    """

    def __init__(self, templates: Path) -> None:
        super().__init__(str(templates / "__pycache__"))

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001  a file cut short is a pickle that may raise anything
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        if sys.dont_write_bytecode:
            return
        with suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)
