"""What is measured: a Postgres, real servers as processes of their own, and the bare echo.

``keyferry``   with authentication by token, an identity policy that allows it, and the audit log
``aws``        the same server on AWS's wire, where requests are signed with an access key
``open``       without authentication: everybody is the owner of every key
``echo``       the bare grpc.aio server; ``inserting_echo`` also inserts one row a call

Their pools of wrapping keys are empty, so that nothing runs beside a measurement
that it does not cause. ``Stage.start`` starts more servers of the first kind.
"""

import asyncio
import base64
import configparser
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from aws_request import signed_request
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwk, jwt
from load import Load, Result

from keyferry.v1 import (
    CreateKeyRequest,
    DecryptRequest,
    EncryptRequest,
    GenerateDataKeyRequest,
    GenerateDataKeyWithoutPlaintextRequest,
    GenerateMacRequest,
    GenerateRandomRequest,
    GetParametersForImportRequest,
    ImportKeyMaterialRequest,
    ReEncryptRequest,
)
from keyferry_client import KeyManagementServiceClient, wrap_key_material
from keyferry_server.crypto.root_key.file import generate_root_key_file
from keyferry_server.storage.embedded import EmbeddedPostgres
from keyferry_server.storage.schema import migrate

BIN = Path(sys.executable).parent
HERE = Path(__file__).parent
READY = "keyferry-server is ready: "
ISSUER, AUDIENCE, SUBJECT = "https://issuer.benchmark", "keyferry", "benchmark"
CALLER = "arn:aws:iam::000000000000:user/benchmark"
MATERIAL = bytes(range(32))
CONTEXT = {"purpose": "benchmark"}
SERVICE = "/keyferry.v1.KeyManagementService/"
SPECS = ("RSA_2048", "RSA_3072", "RSA_4096")
AWS_BODIES: dict[str, dict[str, Any]] = {
    "Encrypt": {"Plaintext": base64.b64encode(MATERIAL).decode(), "EncryptionContext": CONTEXT},
    "GenerateDataKey": {"KeySpec": "AES_256", "EncryptionContext": CONTEXT},
}


@dataclass
class Server:
    """A server process."""

    process: subprocess.Popen[str]
    address: str
    metadata: tuple[tuple[str, str], ...] = ()
    started_in_seconds: float = 0.0
    aws_address: str = ""
    metrics_address: str = ""

    @property
    def pids(self) -> tuple[int, ...]:
        """The process and its children."""
        return (self.process.pid, *(one.pid for one in psutil.Process(self.process.pid).children()))

    def resident_mib(self) -> float:
        """Return its memory."""
        return sum(int(psutil.Process(pid).memory_info().rss) for pid in self.pids) / 2**20


@dataclass
class Stage:
    """Everything that runs, and the requests to send."""

    folder: Path
    postgres: EmbeddedPostgres
    servers: dict[str, Server] = field(default_factory=dict)
    requests: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    key_id: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    access_key: tuple[str, str] = ("", "")

    def client(self, name: str = "open") -> KeyManagementServiceClient:
        """Return a client of a server that asks for no authentication."""
        return KeyManagementServiceClient(self.servers[name].address)

    def start(self, name: str, **settings: str) -> Server:
        """Start another server with authentication; whoever starts it ends it."""
        server = start_server(self.folder, self.settings | settings)
        server.metadata = self.servers["keyferry"].metadata
        self.servers[name] = server
        return server

    def load(self, server: str, method: str, **more: Any) -> Load:
        """Return a load of one method of one server."""
        chosen: dict[str, Any] = {
            "bodies": (self.requests.get(method, b""),),
            "in_flight": 1,
            "seconds": 1.0,
        } | more
        if server == "aws":
            return self._aws_load(method, chosen)
        target = self.servers[server]
        return Load(
            address=target.address,
            path=SERVICE + method,
            pids=target.pids,
            metadata=target.metadata,
            **chosen,
        )

    def _aws_load(self, method: str, chosen: dict[str, Any]) -> Load:
        target = self.servers["keyferry"]
        body = AWS_BODIES[method] | {"KeyId": self.key_id}
        request = signed_request(target.aws_address, method, body, self.access_key)
        return Load(
            address=target.aws_address, path="", pids=target.pids, **(chosen | {"bodies": (request,)})
        )


def start_load(load: Load) -> "subprocess.Popen[str]":
    """Start the process that sends a load."""
    process = subprocess.Popen(
        [sys.executable, HERE / "load.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(load.encode())
    process.stdin.close()
    process.stdin = None
    return process


def result_of(process: "subprocess.Popen[str]") -> Result:
    """Wait for what a load came to."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError("the load was not sent")
    return Result(**json.loads(output))


def send(load: Load) -> Result:
    """Send a load from a process of its own."""
    return result_of(start_load(load))


@asynccontextmanager
async def stage(**settings: str) -> AsyncIterator[Stage]:
    """Start it all; everything is gone in the end. `settings` are of both servers, by their variables' names."""
    async with AsyncExitStack() as undo:
        folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="keyferry-bench-")))
        folder.chmod(0o711)  # as root, Postgres's user passes through it
        postgres = await EmbeddedPostgres.start(folder / "data")
        undo.push_async_callback(postgres.stop)
        await migrate(postgres.url(), 30)
        generate_root_key_file(folder / "root-key")
        made = Stage(folder, postgres)
        token = _identity(folder)
        common = {
            "KEYFERRY_DATABASE_URL": postgres.dsn(),
            "KEYFERRY_ROOT_KEY_FILE": str(folder / "root-key"),
            "KEYFERRY_AUDIT_MOST_UNWRITTEN": "1000000",
            "KEYFERRY_WRAPPING_KEY_POOL_SIZE": "0",
        } | settings
        by_token = {
            "KEYFERRY_AUTH": "jwt",
            "KEYFERRY_JWT_ISSUER": ISSUER,
            "KEYFERRY_JWT_AUDIENCE": AUDIENCE,
            "KEYFERRY_JWT_JWKS_FILE": str(folder / "jwks.json"),
            "KEYFERRY_PRINCIPALS_FILE": str(folder / "principals.toml"),
        }
        made.servers["open"] = start_server(folder, common)
        undo.callback(_end, made.servers["open"].process)
        made.settings = common | by_token
        made.servers["keyferry"] = start_server(folder, made.settings)
        undo.callback(_end, made.servers["keyferry"].process)
        made.servers["keyferry"].metadata = (("authorization", f"Bearer {token}"),)
        made.access_key = _admit(folder, common)
        await _prepare(made)
        for name, url in (("echo", None), ("inserting_echo", postgres.url())):
            made.servers[name] = _start_echo(made.answers, url)
            undo.callback(made.servers[name].process.kill)
        yield made


def start_server(folder: Path, settings: dict[str, str], *arguments: str) -> Server:
    """Start `keyferry-server serve` with settings and wait until it is ready."""
    start = time.perf_counter()
    port, aws_port, metrics_port = _free_ports(3)
    listen = {
        "KEYFERRY_AWS_LISTEN": f"127.0.0.1:{aws_port}",
        "KEYFERRY_METRICS_LISTEN": f"127.0.0.1:{metrics_port}",
    }
    with (folder / f"server-{port}.log").open("w") as log:
        process = subprocess.Popen(
            [BIN / "keyferry-server", "serve", "--grpc-listen", f"127.0.0.1:{port}", *arguments],
            env=_environment() | listen | settings,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith(READY):
        raise RuntimeError((folder / f"server-{port}.log").read_text())
    return Server(
        process,
        f"127.0.0.1:{port}",
        started_in_seconds=time.perf_counter() - start,
        aws_address=listen["KEYFERRY_AWS_LISTEN"],
        metrics_address=listen["KEYFERRY_METRICS_LISTEN"],
    )


def _start_echo(answers: dict[str, bytes], database_url: str | None) -> Server:
    process = subprocess.Popen(
        [sys.executable, HERE / "echo_server.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    encoded = {name: base64.b64encode(body).decode() for name, body in answers.items()}
    process.stdin.write(json.dumps({"answers": encoded, "database_url": database_url}) + "\n")
    process.stdin.flush()
    return Server(process, f"127.0.0.1:{int(process.stdout.readline())}")


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()


def _identity(folder: Path) -> str:
    """Write an issuer's keys and who its subject is; return a token."""
    key = jwk.ECKey.import_key(ec.generate_private_key(ec.SECP256R1()), {"kid": "one", "alg": "ES256"})
    (folder / "jwks.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    (folder / "principals.toml").write_text(f'[tokens]\n"{SUBJECT}" = "{CALLER}"\n')
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "exp": now + 86_400}
    return jwt.encode({"alg": "ES256", "kid": "one", "typ": "JWT"}, claims, key, algorithms=["ES256"])


def _admit(folder: Path, settings: dict[str, str]) -> tuple[str, str]:
    """Make the caller known, allow it everything by an identity policy, and return an access key of its own."""
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    document = folder / "policy.json"
    document.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    output = ""
    for command in (
        ("principal", "create", CALLER),
        ("principal", "attach-policy", CALLER, "--name", "all", "--file", str(document)),
        ("access-key", "create", "--principal", CALLER),
    ):
        output = subprocess.run(
            [BIN / "keyferry-server", *command],
            env=_environment() | settings,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    credentials = configparser.RawConfigParser()
    credentials.read_string(output)
    key = credentials["default"]
    return key["aws_access_key_id"], key["aws_secret_access_key"]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("KEYFERRY_")}


def _free_ports(count: int) -> list[int]:
    """Return ports below those that connections get."""
    found: list[int] = []
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError("no free port")


async def _prepare(made: Stage) -> None:
    """Make keys, and an example of each request with its answer."""
    async with made.client() as client:
        made.key_id = await imported_key(client, MATERIAL)
        mac = await client.create_key_async(
            CreateKeyRequest(key_spec="KEY_SPEC_HMAC_256", key_usage="KEY_USAGE_TYPE_GENERATE_VERIFY_MAC")
        )
        examples: dict[str, Any] = {
            "Encrypt": EncryptRequest(
                key_id=made.key_id, plaintext=os.urandom(32), encryption_context=CONTEXT
            ),
            "GenerateDataKey": GenerateDataKeyRequest(
                key_id=made.key_id, key_spec="DATA_KEY_SPEC_AES_256", encryption_context=CONTEXT
            ),
            "GenerateDataKeyWithoutPlaintext": GenerateDataKeyWithoutPlaintextRequest(
                key_id=made.key_id, key_spec="DATA_KEY_SPEC_AES_256", encryption_context=CONTEXT
            ),
            "GenerateMac": GenerateMacRequest(
                key_id=mac.key_metadata.key_id,
                message=os.urandom(32),
                mac_algorithm="MAC_ALGORITHM_SPEC_HMAC_SHA_256",
            ),
            "GenerateRandom": GenerateRandomRequest(number_of_bytes=32),
            "GetParametersForImport": parameters_request(made.key_id, "RSA_2048"),
        }
        blob = (await client.encrypt_async(examples["Encrypt"])).ciphertext_blob
        examples["Decrypt"] = DecryptRequest(ciphertext_blob=blob, encryption_context=CONTEXT)
        examples["ReEncrypt"] = ReEncryptRequest(
            ciphertext_blob=blob,
            source_encryption_context=CONTEXT,
            destination_key_id=made.key_id,
            destination_encryption_context=CONTEXT,
        )
        for name, request in examples.items():
            made.requests[name] = request.SerializeToString()
            call = getattr(client, f"{_snake(name)}_async")
            made.answers[name] = (await call(request)).SerializeToString()


def parameters_request(key_id: str, spec: str) -> GetParametersForImportRequest:
    """Return the request for a wrapping key."""
    return GetParametersForImportRequest(
        key_id=key_id,
        wrapping_algorithm="ALGORITHM_SPEC_RSAES_OAEP_SHA_256",
        wrapping_key_spec=f"WRAPPING_KEY_SPEC_{spec}",
    )


async def imported_key(client: KeyManagementServiceClient, material: bytes | None = None) -> str:
    """Create a key, import material into it, and return its key ID."""
    created = await client.create_key_async(CreateKeyRequest(origin="ORIGIN_TYPE_EXTERNAL"))
    key_id = created.key_metadata.key_id
    (request,) = await import_requests(client, key_id, "RSA_2048", 1, material or os.urandom(32))
    await client.import_key_material_async(request)
    return key_id


async def import_requests(
    client: KeyManagementServiceClient, key_id: str, spec: str, count: int, material: bytes
) -> list[ImportKeyMaterialRequest]:
    """Return that many imports of one material into one key, each with a token and a wrapping key of its own."""

    async def one() -> ImportKeyMaterialRequest:
        parameters = await client.get_parameters_for_import_async(parameters_request(key_id, spec))
        return ImportKeyMaterialRequest(
            key_id=key_id,
            import_token=parameters.import_token,
            encrypted_key_material=wrap_key_material(parameters, material, "RSAES_OAEP_SHA_256"),
            expiration_model="EXPIRATION_MODEL_TYPE_KEY_MATERIAL_DOES_NOT_EXPIRE",
        )

    gate = asyncio.Semaphore(8)

    async def through() -> ImportKeyMaterialRequest:
        async with gate:
            return await one()

    return list(await asyncio.gather(*(through() for _ in range(count))))


def _snake(name: str) -> str:
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name).lstrip("_")
