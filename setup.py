"""For ``pip install git+https://…``, in an app that uses the Flask extension. A deployment installs requirements.txt.

Not a pyproject.toml: Vercel would read the dependencies from it and ignore requirements.txt.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
PINNED = re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / "requirements.in").read_text("utf-8"), re.MULTILINE)
SERVERS = {"gunicorn", "python-dotenv"}
"""The host has a server of its own, and reads its own .env."""

setup(
    name="igfeed",
    version=re.search(r'"([\d.]+)"', (ROOT / "igfeed/version.py").read_text("utf-8"))[1],
    description="One's Instagram posts in a Flask app, for years.",
    license="MIT",
    python_requires=">=3.11",
    # The versions that were tested are the lowest ones: the host may need newer ones.
    install_requires=[f"{name}>={version}" for name, version in PINNED if name not in SERVERS],
    packages=[*find_packages(include=["igfeed", "igfeed.*"]), "igfeed.templates", "igfeed.static"],
    package_dir={"igfeed.templates": "templates", "igfeed.static": "static"},
    package_data={"igfeed": ["**/*.toml"], "igfeed.templates": ["**/*"], "igfeed.static": ["**/*"]},
    zip_safe=False,
)
