"""The Nu HTML checker on the pages in every language: `python -m lab.audit.nu`."""

import json
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from igfeed import create_app
from igfeed.config import LANGUAGES, Settings

JAR = Path(__file__).parent / "node_modules/vnu-jar/build/dist/vnu.jar"
PAGES = {
    "feed": "/",
    "page-2": "/?page=2&captions=1",
    "embed": "/embed",
    "embed-header": "/embed?header=1&captions=1&theme=dark",
    "carousel": "/embed?layout=carousel",
    "links": "/embed?open=instagram",
}

HOST_PAGE = """<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><title>Host</title></head>
<body><h1>Host</h1>
{fragment}</body>
</html>
"""

NEWER_THAN_THE_CHECKER = (
    # Container queries (CSS Containment 3, in all browsers since 2023): its style checker knows neither rule nor units.
    (r"Unrecognized at-rule “@container”|“container-type”: Property “container-type” doesn't exist", ""),
    (r"“(height|--side|--tall)”: Parse Error", r"cq[wh]"),
    # View transitions (CSS View Transitions 1, in all browsers since 2025).
    (r"“::view-transition”|Parse Error", r"::view-transi|sition-(old|new)|n:\.2s"),
    # Paths as shapes (CSS Shapes 1, in all browsers since 2021).
    (r"“clip-path”: “path\(", ""),
)
"""What is passed over: a message, and what the place that it points at says."""


def main() -> int:
    """0 when the checker has nothing to say."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pages").mkdir()
        for language in LANGUAGES:
            save(folder, language)
        files = sorted((folder / "pages").iterdir())
        messages = check(files)
    for message in messages:
        print(
            f"{Path(message['url']).name}:{message.get('lastLine')}: {message['message']}\n  {message.get('extract')}"
        )
    print(f"Nu HTML checker: {len(files)} pages in {len(LANGUAGES)} languages, {len(messages)} errors and warnings")
    return bool(messages)


def save(folder: Path, language: str) -> None:
    """The demo's pages and the one of a site that has nothing to show yet, one file each."""
    env = {"IGFEED_LANGUAGE": language, "IGFEED_LOG_LEVEL": "ERROR"}
    demo = create_app(Settings.from_env({**env, "IGFEED_DEMO": "1", "IGFEED_STORE_PATH": f"{folder}/demo"}))
    empty = create_app(Settings.from_env({**env, "IGFEED_STORE_PATH": f"{folder}/empty"}))
    if language == LANGUAGES[0]:
        demo.test_cli_runner().invoke(args=["igfeed", "fetch"])  # The pictures' colours are in the pages too.
    pages = [(demo, name, path) for name, path in PAGES.items()]
    for app, name, path in [*pages, (empty, "503", "/")]:
        (folder / "pages" / f"{name}.{language}.html").write_bytes(app.test_client().get(path).data)
    fragment = HOST_PAGE.format(language=language, fragment=demo.test_client().get("/fragment?header=1").text)
    (folder / "pages" / f"fragment.{language}.html").write_text(fragment, "utf-8")


def check(files: list[Path]) -> list[dict[str, Any]]:
    """What it finds, warnings included; it checks the style sheets inside the pages as well."""
    command: list[str | Path] = ["java", "-jar", JAR, "--format", "json", "--exit-zero-always", *files]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return [message for message in json.loads(said)["messages"] if not is_newer(message)]


def is_newer(message: dict[str, Any]) -> bool:
    return any(
        re.search(text, message["message"]) and re.search(place, message.get("extract", ""))
        for text, place in NEWER_THAN_THE_CHECKER
    )


if __name__ == "__main__":
    sys.exit(main())
