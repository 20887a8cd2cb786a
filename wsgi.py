"""What gunicorn, Vercel and the ``flask`` command start."""

from igfeed import create_app
from igfeed.errors import ConfigError

try:
    app = create_app()
except ConfigError as error:
    raise SystemExit(f"igfeed cannot start. {error} {error.hint}") from None
