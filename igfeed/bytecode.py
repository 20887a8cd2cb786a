"""Compiled templates, kept beside them as Python keeps compiled modules.

To compile them takes as long as a fifth of Flask's import, at each start of a process.
"""

import sys
from contextlib import suppress
from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket


class TemplateBytecode(FileSystemBytecodeCache):
    """A folder that cannot be made or written, or a file that cannot be read, costs time and nothing else.

    Jinja itself sees to it that what is read belongs to this text of a template and to this Python.
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
