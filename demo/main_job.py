"""The main job on real parts: bring a key, import it, use it, lose it, bring it back.

`make demo` runs this. It starts the real server on its embedded Postgres, drives it
with the real client command, and prints each step and what came back. It ends with
exit code 1 at the first step that differs from what the step promises, and leaves
neither a process nor a file.
"""
# ruff: noqa: INP001, S603 -- a script, whose job is to run the two commands of this project

import contextlib
import json
import os
import queue
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

READY_SECONDS = 180
COMMAND_SECONDS = 60
STOP_SECONDS = 60
PORTS = range(20_000, 32_000)  # below the range that systems hand out to outgoing connections
READY = "keyferry-server is ready"
REPORT_BYTES = 3_000_000
RSA_3072_BYTES = 384
SHOWN_MEMBERS = (
    "Arn",
    "EncryptionContext",
    "KeyMaterialId",
    "ParametersValidTo",
    "WrappingAlgorithm",
    "WrappingKeySpec",
)

# Settings of another Keyferry on this machine are not this demo's.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("KEYFERRY_")}


class DifferentError(Exception):
    """A step did not do what it promises."""


def main() -> None:
    """Run the demo and exit."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _folder() as folder, _server(folder) as address:
            Job(folder, address).run()
    except DifferentError as error:
        _say(f"\nFAILED: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        _say("\nInterrupted; the server is stopped and its folder removed.")
        sys.exit(130)
    _say("\nDone: every step did what it promises. The server is stopped and its folder removed.")


class Job:
    """The steps, in order. Files are in `folder`; the server listens on `address`."""

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address
        self._step = 1

    def run(self) -> None:
        """Go through all steps; DifferentError at the first that differs."""
        key_file = self._make_key_file("my.key")
        other_key_file = self._make_key_file("another.key")
        report = self._folder / "report.bin"
        report.write_bytes(secrets.token_bytes(REPORT_BYTES))
        sealed, parameters = self._folder / "report.sealed", self._folder / "parameters"

        self._begin("Create a key that waits for key material of our own")
        key = self._succeed("keys", "create", "--origin", "EXTERNAL")["KeyMetadata"]["KeyId"]
        self._expect_state(key, "PendingImport")

        self._begin("Encrypt is refused: the key has no material yet")
        self._refused("KMSInvalidStateException", "encrypt", key, "--in", report, "--out", sealed)
        self._expect(not sealed.exists(), "nothing was written")

        self._begin("GetParametersForImport: a wrapping public key and its import token")
        self._succeed("import", "params", key, "--out", parameters)

        self._begin(f"Wrap {key_file.name}, 32 random bytes, here: the service is not asked")
        self._succeed("import", "wrap", parameters, "--material-file", key_file)
        wrapped = (parameters / "encrypted_key_material.bin").stat().st_size
        self._expect(wrapped == RSA_3072_BYTES, f"the wrapped key material has {RSA_3072_BYTES} bytes")

        self._begin("ImportKeyMaterial")
        material_id = self._succeed("import", "submit", parameters, "--no-expiry")["KeyMaterialId"]
        self._expect_state(key, "Enabled")

        self._begin(f"Encrypt a file of {REPORT_BYTES} bytes with a data key (GenerateDataKey)")
        self._succeed("encrypt", key, "--in", report, "--out", sealed, "--context", "purpose=demo")
        self._expect(report.read_bytes()[:64] not in sealed.read_bytes(), "the file is unreadable")

        self._begin("DeleteImportedKeyMaterial")
        self._succeed("keys", "delete-material", key)
        self._expect_state(key, "PendingImport")

        opened = self._folder / "report.opened"
        self._begin("Decrypt is refused: the key lost its material")
        self._refused("KMSInvalidStateException", "decrypt", "--in", sealed, "--out", opened)
        self._expect(not opened.exists(), "nothing was written")

        self._begin("Import of different material is refused")
        self._refused("IncorrectKeyMaterialException", *self._import(key, other_key_file))
        self._expect_state(key, "PendingImport")

        self._begin("Import of the same material brings the key back")
        again = self._succeed(*self._import(key, key_file))["KeyMaterialId"]
        self._expect(again == material_id, "it is the same key material")
        self._expect_state(key, "Enabled")

        self._begin("Decrypt the file")
        self._succeed("decrypt", "--in", sealed, "--out", opened)
        self._expect(opened.read_bytes() == report.read_bytes(), "it is the file, byte for byte")

    def _make_key_file(self, name: str) -> Path:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
        return path

    def _import(self, key: str, key_file: Path) -> tuple[str | Path, ...]:
        return ("import", key, "--material-file", key_file, "--no-expiry")

    def _begin(self, title: str) -> None:
        _say(f"\n{self._step:2}. {title}")
        self._step += 1

    def _succeed(self, *arguments: str | Path) -> dict[str, Any]:
        outcome = self._keyferry(*arguments)
        if outcome.returncode != 0:
            raise DifferentError(f"this should succeed:\n{_indented(outcome.stderr)}")
        answer: dict[str, Any] = json.loads(outcome.stdout)
        for name, value in answer.get("KeyMetadata", answer).items():
            if name in SHOWN_MEMBERS:
                _say(f"    {name}: {value}")
        return answer

    def _refused(self, exception: str, *arguments: str | Path) -> None:
        outcome = self._keyferry(*arguments)
        if outcome.returncode != 1 or not outcome.stderr.startswith(f"keyferry: {exception}"):
            came_back = outcome.stderr or f"success: {outcome.stdout}"
            raise DifferentError(f"this should be refused with {exception}, but:\n{_indented(came_back)}")
        _say(f"    {outcome.stderr.splitlines()[0]}")

    def _expect_state(self, key: str, state: str) -> None:
        described = self._keyferry("keys", "describe", key, is_shown=False)
        if described.returncode != 0:
            raise DifferentError(f"the key cannot be described:\n{_indented(described.stderr)}")
        actual = json.loads(described.stdout)["KeyMetadata"]["KeyState"]
        if actual != state:
            raise DifferentError(f"the key's state should be {state}, but is {actual}")
        _say(f"    checked: the key's state is {state}")

    def _expect(self, is_so: bool, fact: str) -> None:  # noqa: FBT001 -- reads as a sentence
        if not is_so:
            raise DifferentError(f"this should be so: {fact}")
        _say(f"    checked: {fact}")

    def _keyferry(self, *arguments: str | Path, is_shown: bool = True) -> subprocess.CompletedProcess[str]:
        if is_shown:
            shown = " ".join(
                str(argument.relative_to(self._folder)) if isinstance(argument, Path) else argument
                for argument in arguments
            )
            _say(f"    $ keyferry {shown}")
        options = ("--endpoint", self._address, "--output", "json")
        command = [sys.executable, "-P", "-m", "keyferry_client", *options, *map(str, arguments)]
        try:
            return subprocess.run(
                command, env=ENVIRONMENT, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise DifferentError(f"the command took longer than {COMMAND_SECONDS} seconds") from None


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="keyferry-demo-") as name:
        folder = Path(name)
        # Started by root, Postgres runs as another user, who has to get through to its own folder.
        folder.chmod(0o711)
        yield folder


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[str]:
    """Start the server, wait until it is ready, and stop it in the end, with its Postgres."""
    address = f"127.0.0.1:{_free_port()}"
    log = folder / "server.log"
    _say("Starting the server on its embedded Postgres ...")
    listen = ["--grpc-listen", address, "--aws-listen", "off", "--metrics-listen", "off"]
    with (
        log.open("wb") as log_file,
        subprocess.Popen(
            [
                sys.executable,
                "-P",
                "-m",
                "keyferry_server",
                "serve",
                "--data-dir",
                str(folder / "data"),
                *listen,
            ],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=log_file,
            text=True,
        ) as server,
    ):
        try:
            _say(_ready_line(server, log))
            yield address
        finally:
            _stop(server)
    if server.returncode != 0:
        raise DifferentError(f"the server ended with exit code {server.returncode}:\n{_tail(log)}")


def _ready_line(server: subprocess.Popen[str], log: Path) -> str:
    lines: queue.Queue[str] = queue.Queue()

    def read(stdout: IO[str]) -> None:
        for line in stdout:
            lines.put(line.rstrip())
        lines.put("")

    if server.stdout is None:
        raise DifferentError("the server has no standard output")
    threading.Thread(target=read, args=(server.stdout,), daemon=True).start()
    try:
        line = lines.get(timeout=READY_SECONDS)
    except queue.Empty:
        raise DifferentError(
            f"the server was not ready within {READY_SECONDS} seconds:\n{_tail(log)}"
        ) from None
    if not line.startswith(READY):
        raise DifferentError(f"the server did not start:\n{line}\n{_tail(log)}")
    return line


def _stop(server: subprocess.Popen[str]) -> None:
    server.terminate()
    while True:
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
        except KeyboardInterrupt:
            _say("Stopping the server; please wait.")
        else:
            return


def _free_port() -> int:
    for port in secrets.SystemRandom().sample(PORTS, len(PORTS)):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise DifferentError("no port is free")


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _tail(log: Path) -> str:
    return _indented("\n".join(log.read_text(errors="replace").splitlines()[-20:]))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
