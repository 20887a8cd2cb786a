"""What gunicorn, Vercel and the ``flask`` command start."""

from igfeed import create_app_or_exit

# Plainly at the top level: Vercel looks for it by reading, not by running.
app = create_app_or_exit()
