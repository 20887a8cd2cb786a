"""Writes the table of options into README.md and docs/options.md: `python -m lab.option_tables`."""

import re
from pathlib import Path

from igfeed.widget.options import Options

ROOT = Path(__file__).parent.parent
DOCUMENTS = (ROOT / "README.md", ROOT / "docs/options.md")
TABLE = re.compile(r"(?<=<!-- options -->\n).*?(?=<!-- /options -->)", re.DOTALL)


def table() -> str:
    """The options in Markdown, a row each."""
    rows = [f"| `{name}` | {row.values} | {row.default} | {row.help} |" for name, row in Options.table().items()]
    return "\n".join(["| option | values | default | |", "|---|---|---|---|", *rows, ""])


def with_table(text: str) -> str:
    """The document with the present table between its two comments. Raises ValueError if there is no such place."""
    written, places = TABLE.subn(lambda _: table(), text)
    if places != 1:
        raise ValueError("The document needs one place for the table: <!-- options --> and <!-- /options -->.")
    return written


def main() -> None:
    for document in DOCUMENTS:
        document.write_text(with_table(document.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
