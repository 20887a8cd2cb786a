# igfeed in a container: granian, which needs no server in front that buffers, and SQLite on the volume /data.
# docs/deploy.md says how to run it.
FROM python:3.12.12-slim-bookworm

ENV PYTHONUNBUFFERED=1 PORT=8000 IGFEED_STORE_PATH=/data/igfeed.sqlite3
WORKDIR /app

# Before the code, so that a change of the code does not install everything again.
COPY requirements.txt requirements-granian.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements.txt -r requirements-granian.txt

COPY igfeed ./igfeed
COPY templates ./templates
COPY static ./static
COPY wsgi.py ./
# The user may not write here, so the bytecode is made now.
RUN python -m compileall -q igfeed wsgi.py \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin igfeed \
    && install --directory --owner igfeed --group igfeed --mode 700 /data

VOLUME /data
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]

# A shell for ${PORT}, which hosts choose. `exec` makes granian the process that gets the signal to stop.
CMD ["sh", "-c", "exec granian --interface wsgi --host 0.0.0.0 --port ${PORT} --workers 2 --blocking-threads 8 wsgi:app"]
