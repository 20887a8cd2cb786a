"""Load from wrk: one thread of it, because it shares two cores with the servers that it loads."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

CONNECTIONS = 64
"""Kept alive. With 16 it happens that one of two gunicorn workers gets them all, which says nothing of the app."""

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
"""Milliseconds in each unit that wrk writes."""

COUNTED = """
local asked, answered, last = 0, 0, {views}
request = function()
  local path = "{path}"
  if asked < {distinct} then
    local n = {first} + asked
    path = path .. "?limit=" .. n % 24 + 1 .. "&columns=" .. math.floor(n / 24) % 8 + 1
      .. "&gap=" .. math.floor(n / 192) % 49 .. "&captions=" .. math.floor(n / 9408)
  end
  asked = asked + 1
  return wrk.format("GET", path)
end
response = function()
  answered = answered + 1
  if answered == last then os.execute("(sleep 0.1; kill -INT $PPID) &") end
end
"""
"""So many views, the first of them with a query string of their own each. Then wrk ends as by Ctrl-C, a moment later
because it is deaf to that while Lua waits for a command."""


@dataclass(frozen=True)
class Result:
    views: int
    failed: int
    per_second: float
    p99: float
    """Milliseconds."""


def load(url: str, seconds: int, *headers: str) -> Result:
    """As many views as it can answer in that time."""
    options = [option for header in headers for option in ("-H", header)]
    return _wrk(url, seconds, *options)


def views(address: str, number: int, *, distinct: int = 0, first: int = 0) -> Result:
    """A number of views of the embed, in a minute and a half at most."""
    with NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(COUNTED.format(views=number, path="/embed", distinct=distinct, first=first))
        script.flush()
        return _wrk(address, 90, "-s", str(Path(script.name)))


def _wrk(url: str, seconds: int, *options: str) -> Result:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout", "10s", *options, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    return read(said)


def read(said: str) -> Result:
    """What wrk says it has seen."""
    errors = [int(number) for number in re.findall(r"(?:connect|read|write|timeout) (\d+)", said)]
    failed = sum(errors) + int(_found(r"Non-2xx or 3xx responses: (\d+)", said))
    total, rate = int(_found(r"(\d+) requests in", said)), _found(r"Requests/sec:\s+([\d.]+)", said)
    return Result(total, failed, rate, _latency(said))


def _found(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    return float(found[1]) if found else 0.0


def _latency(text: str) -> float:
    found = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", text)
    return float(found[1]) * UNITS[found[2]] if found else 0.0
