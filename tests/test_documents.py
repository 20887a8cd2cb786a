"""The pages for people name only what exists: files, functions, targets of make, settings."""

import ast
import re
from collections.abc import Callable, Collection
from pathlib import Path

ROOT = Path(__file__).parent.parent
ABOUT_CODE = [ROOT / "CONTRIBUTING.md", ROOT / "docs/architecture.md"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = "igfeed|tests|lab|docs|templates|static|\\.ci"


def wrong_on(pages: list[Path], look: Callable[[Path], Collection[object]]) -> dict[str, Collection[object]]:
    """What is wrong, by the names of the pages; those where nothing is wrong are left out."""
    return {page.name: wrong for page in pages if (wrong := look(page))}


def quoted(page: Path) -> list[str]:
    """What stands between single backticks, the blocks of code apart."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL))


def defined() -> set[str]:
    """`function` and `Class.method` of the package."""
    names = set()
    for path in (ROOT / "igfeed").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                names.add(node.name)
            if isinstance(node, ast.ClassDef):
                names |= {node.name, *(f"{node.name}.{each.name}" for each in node.body if hasattr(each, "name"))}
    return names


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_a_page_links_only_to_files_that_exist() -> None:
    def broken(page: Path) -> list[str]:
        targets = re.findall(r"\]\(((?!https?:|#)[^)]+)\)", page.read_text("utf-8"))
        return [target for target in targets if not (page.parent / target.split("#")[0]).exists()]

    assert wrong_on(PAGES, broken) == {}


def test_a_link_into_a_page_leads_to_a_heading() -> None:
    def broken(page: Path) -> list[tuple[str, str]]:
        links = re.findall(r"\]\(([\w./-]*\.md)#([\w-]+)\)", page.read_text("utf-8"))
        return [(name, anchor) for name, anchor in links if anchor not in anchors(page.parent / name)]

    assert wrong_on(PAGES, broken) == {}


def test_a_page_names_only_files_that_exist() -> None:
    def missing(page: Path) -> list[str]:
        named = [name for name in quoted(page) if re.fullmatch(rf"({FOLDERS})/[\w./-]*", name)]
        kept = [name for name in named if "__pycache__" not in name]
        return [name for name in kept if not any((ROOT / f"{name}{end}").exists() for end in ("", ".py"))]

    assert wrong_on(PAGES, missing) == {}


def test_a_page_names_only_functions_that_exist() -> None:
    """Written with brackets, `fetch()` or `FeedService.fetch()`, or a class with its method."""
    there = defined()

    def missing(page: Path) -> set[str]:
        calls = [re.fullmatch(r"([A-Za-z_]\w*(?:\.\w+)?)\([^)]*\)", name) for name in quoted(page)]
        return {call[1] for call in calls if call} - there

    assert wrong_on(ABOUT_CODE, missing) == {}


def test_a_page_names_only_targets_of_make_that_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    def missing(page: Path) -> set[str]:
        commands = [name for name in quoted(page) if name.startswith("make ")]
        return {target for name in commands for target in name.split()[1:]} - targets

    assert wrong_on(PAGES, missing) == {}
