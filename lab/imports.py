"""Draws which room of the package imports which: docs/architecture.svg. Needs Graphviz (`dot`, `tred`).

`python -m lab.imports` writes the drawing. `python -m lab.imports --modules` prints the graph of all modules in
Graphviz' language, to draw it as you like: `python -m lab.imports --modules | dot -Tsvg > modules.svg`.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "igfeed"
DRAWING = ROOT / "docs/architecture.svg"

Edge = tuple[str, str]


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports() -> Iterator[Edge]:
    """Each pair of modules of which the first imports the second, imports inside functions included."""
    paths = sorted(PACKAGE.rglob("*.py"))
    known = {module(path) for path in paths}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    full = f"{node.module}.{alias.name}"
                    target = full if full in known else node.module
                    if target in known and target != module(path):
                        yield module(path), target


def room(name: str) -> str:
    """A folder of the package, or a module directly in it. The factory is the package itself."""
    return ".".join(name.split(".")[1:2]) or "create_app"


def as_dot(edges: set[Edge]) -> str:
    lines = (f'  "{importer}" -> "{imported}"' for importer, imported in sorted(edges))
    return "\n".join(['digraph { node [shape=box style=rounded fontname="sans-serif"]', *lines, "}"]) + "\n"


def draw(edges: set[Edge], path: Path) -> None:
    """Without the arrows that follow from others: if a → b → c is drawn, a → c is not. There would be too many."""
    reduced = subprocess.run(["tred"], input=as_dot(edges), capture_output=True, text=True, check=True).stdout
    subprocess.run(["dot", "-Tsvg", "-o", path], input=reduced, text=True, check=True)


if __name__ == "__main__":
    if "--modules" in sys.argv:
        sys.stdout.write(as_dot(set(imports())))
    else:
        draw({(room(a), room(b)) for a, b in imports() if room(a) != room(b)}, DRAWING)
