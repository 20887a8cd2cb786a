"""The pages for people name only what exists: files, functions, targets of make, settings."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ABOUT_CODE = [ROOT / "CONTRIBUTING.md", ROOT / "docs/architecture.md"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = "igfeed|tests|lab|docs|templates|static|\\.ci"


def every(pages: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.name)


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


@every(PAGES)
def test_a_page_links_only_to_files_that_exist(page: Path) -> None:
    targets = re.findall(r"\]\(((?!https?:|#)[^)]+)\)", page.read_text("utf-8"))

    assert [target for target in targets if not (page.parent / target.split("#")[0]).exists()] == []


@every(PAGES)
def test_a_link_into_a_page_leads_to_a_heading(page: Path) -> None:
    links = re.findall(r"\]\(([\w./-]*\.md)#([\w-]+)\)", page.read_text("utf-8"))

    assert [(name, anchor) for name, anchor in links if anchor not in anchors(page.parent / name)] == []


@every(PAGES)
def test_a_page_names_only_files_that_exist(page: Path) -> None:
    named = [
        name for name in quoted(page) if re.fullmatch(rf"({FOLDERS})/[\w./-]*", name) and "__pycache__" not in name
    ]

    assert [name for name in named if not any((ROOT / f"{name}{end}").exists() for end in ("", ".py"))] == []


@every(ABOUT_CODE)
def test_a_page_names_only_functions_that_exist(page: Path) -> None:
    """Written with brackets, `fetch()` or `FeedService.fetch()`, or a class with its method."""
    calls = [call[1] for name in quoted(page) if (call := re.fullmatch(r"([A-Za-z_]\w*(?:\.\w+)?)\([^)]*\)", name))]

    assert set(calls) - defined() == set()


@every(PAGES)
def test_a_page_names_only_targets_of_make_that_exist(page: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {target for name in quoted(page) if name.startswith("make ") for target in name.split()[1:]}

    assert named - targets == set()
