"""The program behind `command_forks`: imports the server once, then forks for each command.

It reads one request a line from standard input and answers each with one line, both
JSON. It imports nothing but the server, as the server's own command does.

A request with `kill_at` N is killed by itself (SIGKILL) just before the Nth thing that
it does to the outside: a file synced or renamed, a statement sent, a transaction committed.
"""

import json
import os
import signal
import sys
import tempfile
import traceback
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from keyferry_server.cli import main


def _run_in_fork(request: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            os._exit(_run_main(request))
        _, status = os.waitpid(child, 0)
        answer = {"exit_code": os.waitstatus_to_exitcode(status)}
        for name, file in (("output", output), ("errors", errors)):
            file.seek(0)
            answer[name] = file.read().decode()
        return answer


def _run_main(request: dict[str, Any]) -> int:
    """Do what the interpreter does with a command; return its exit code."""
    sys.argv = ["keyferry-server", *request["arguments"]]
    os.environ.update(request["environment"])
    if request.get("kill_at"):
        _kill_at(request["kill_at"])
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 -- as the interpreter does
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _kill_at(number: int) -> None:
    left = number

    def step(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def note(_frame: object, what: str, function: object) -> None:
        if what == "c_call" and function in (os.fsync, os.replace):
            step()

    event.listen(Engine, "before_cursor_execute", step)
    event.listen(Engine, "commit", step)
    sys.setprofile(note)


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_run_in_fork(json.loads(line))) + "\n")
        sys.stdout.flush()
