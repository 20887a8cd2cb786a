"""The house stands as it was drawn: who may import whom, and what is done in one room only."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "igfeed"

FACTORY = "__init__"
RANKS = (
    "clock errors origins texts version background threads cache_lifetimes",
    "models",
    "stores http config",
    "instagram",
    "demo history",
    "tokens",
    "feed",
    "services",
    "accounts",
    "web",
    "widget",
    "owner",
    "http_errors",
    "assembly",
    "extension",
    FACTORY,
)
"""Who may call whom: a room imports from lower ranks only. A room is a folder of the package, or a module in it."""

RANK = {room: rank for rank, rooms in enumerate(RANKS) for room in rooms.split()}

FLASK = {"flask", "flask_caching", "werkzeug", "click", "jinja2", "markupsafe"}
FLASK_FROM = RANK["services"]
"""What decides, fetches and keeps knows nothing of HTTP: Flask begins where the parts are put together."""

TIME_ROOM = PACKAGE / "clock.py"
TIME_CALLS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "system_clock"}

ENVIRONMENT_ROOMS = {
    PACKAGE / "__init__.py",
    PACKAGE / "extension/ig_feed.py",
    ROOT / "wsgi.py",
    ROOT / "gunicorn.conf.py",
}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv"}

MAX_MODULES = 12

MAX_FUNCTION = 30
"""Lines, the docstring included; most have a quarter of that."""

MODULES = sorted(PACKAGE.rglob("*.py"))
WITH_LAB = [*MODULES, *sorted((ROOT / "lab").rglob("*.py"))]
ALL_CODE = [*MODULES, *(path for path in (ROOT / "wsgi.py", ROOT / "gunicorn.conf.py") if path.exists())]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def found_in(paths: Iterable[Path], look: Callable[[Path], Collection[object]]) -> dict[str, Collection[object]]:
    """What is found, by the names of the files; those where nothing is found are left out."""
    return {name(path): found for path in paths if (found := look(path))}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def room(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(node: ast.AST) -> Iterator[str]:
    """The full names behind one statement: `from a import b` may mean the module a or the module a.b."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute here"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imports(path: Path) -> frozenset[str]:
    return frozenset(target for node in ast.walk(tree(path)) for target in imported(node))


def imported_rooms(path: Path) -> set[str]:
    ours = (target.split(".") for target in imports(path) if target.split(".")[0] == "igfeed")
    return {parts[1] if parts[1] in RANK else FACTORY for parts in ours} - {room(path)}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def dotted(node: ast.expr) -> str:
    """`datetime.now` for `datetime.now` and for `datetime.datetime.now` alike, `system_clock` for a plain name."""
    return ".".join(ast.unparse(node).split(".")[-2:])


def test_every_module_has_a_rank() -> None:
    assert [name(path) for path in MODULES if room(path) not in RANK] == [], "name its room in RANKS"


def test_every_rank_is_given_to_a_room_that_exists() -> None:
    assert set(RANK) == {room(path) for path in MODULES}


def test_a_module_imports_from_lower_ranks_only() -> None:
    def not_lower(path: Path) -> set[str]:
        return {other for other in imported_rooms(path) if RANK[other] >= RANK[room(path)]}

    assert found_in(MODULES, not_lower) == {}


def module(path: Path) -> str:
    """Its full name, that of the folder for an ``__init__``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == FACTORY else parts)


def imported_modules(path: Path, known: set[str]) -> set[str]:
    """Those of ours, by their full names: `from a import b` is the module a.b where there is one."""
    targets = (target if target in known else target.rpartition(".")[0] for target in imports(path))
    return {target for target in targets if target in known} - {module(path)}


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports for type checking and inside functions count too: they tie modules together as any import does."""
    known = {module(path) for path in WITH_LAB}
    graph = {module(path): imported_modules(path, known) for path in WITH_LAB}

    list(TopologicalSorter(graph).static_order())  # It raises CycleError, which names the circle.


def test_a_folder_has_no_more_modules_than_one_can_take_in() -> None:
    counts = Counter(path.parent for path in MODULES if path.stem != FACTORY)

    assert {name(folder): count for folder, count in counts.items() if count > MAX_MODULES} == {}


def test_the_page_for_strangers_names_every_room_with_its_rank_and_its_modules() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| `(?:igfeed/)?(\w+)/?` \|[^|]+\|(.*)\|$", page, re.MULTILINE)
    shown = {room: (int(rank), set(re.findall(r"`(\w+)`", modules))) for rank, room, modules in rows}

    there = {name: (rank + 1, modules_in(PACKAGE / name)) for name, rank in RANK.items()}
    assert shown == there, "change the table in docs/architecture.md with the rooms"


def modules_in(folder: Path) -> set[str]:
    """Its modules, and the folders in it that hold modules."""
    return {path.parent.name for path in folder.glob("*/__init__.py")} | {path.stem for path in folder.glob("[!_]*.py")}


def test_the_drawing_for_strangers_has_every_room() -> None:
    drawing = (ROOT / "docs/architecture.svg").read_text("utf-8")
    boxes = {box for box in re.findall(r"<title>(\w+)</title>", drawing) if box != "%3"}

    assert boxes == {"create_app" if name == FACTORY else name for name in RANK}, "`make imports` draws it anew"


def test_flask_is_unknown_in_the_lower_ranks() -> None:
    lower = [path for path in MODULES if RANK[room(path)] < FLASK_FROM]

    assert found_in(lower, lambda path: {each for each in imports(path) if each.split(".")[0] in FLASK}) == {}


def test_an_import_inside_a_function_says_why() -> None:
    def unexplained(path: Path) -> list[int]:
        lines = path.read_text("utf-8").splitlines()
        inside = {
            node.lineno
            for function in functions(path)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        return [number for number in sorted(inside) if not is_explained(lines, number)]

    assert found_in(ALL_CODE, unexplained) == {}


def is_explained(lines: list[str], number: int) -> bool:
    """By the lint's exception and a reason, behind it or in the line above."""
    excepted = re.search(r"# noqa: PLC0415(.*)", lines[number - 1])
    return excepted is not None and bool(excepted[1].strip() or lines[number - 2].strip().startswith("# "))


def test_the_time_is_read_in_one_room_only() -> None:
    def read(path: Path) -> set[str]:
        calls = {dotted(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
        return calls & TIME_CALLS | {target for target in imports(path) if target.split(".")[0] == "time"}

    assert found_in([path for path in ALL_CODE if path != TIME_ROOM], read) == {}


def test_the_environment_is_read_by_the_factory_only() -> None:
    def read(path: Path) -> set[str]:
        attributes = {ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        return (attributes | imports(path)) & ENVIRONMENT

    assert found_in([path for path in ALL_CODE if path not in ENVIRONMENT_ROOMS], read) == {}


def test_no_function_is_longer_than_one_can_take_in() -> None:
    def too_long(path: Path) -> dict[str, int]:
        lengths = {function.name: (function.end_lineno or 0) - function.lineno + 1 for function in functions(path)}
        return {what: lines for what, lines in lengths.items() if lines > MAX_FUNCTION}

    assert found_in(ALL_CODE, too_long) == {}
