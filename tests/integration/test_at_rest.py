"""No secret lies in the database, in no form: not in a dump, not in a column, not in a file of its folder."""

import base64
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from dumps import files, pg_dump, values
from fixtures.server import ServerFactory, TestServer
from other_keys import bring as bring_material
from other_keys import create_key
from private_keys import generate, pkcs8
from rows import connected
from secret_search import Haystack, forms, leaks, needles, parts_of_rsa_key
from steps import create_external_key, get_parameters, import_request

from keyferry.v1 import (
    CreateKeyRequest,
    DecryptRequest,
    DeleteImportedKeyMaterialRequest,
    EncryptRequest,
    GenerateDataKeyPairRequest,
    GenerateDataKeyRequest,
)
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import IncorrectKeyMaterialException
from keyferry_server.crypto.import_token import ImportTokenCodec
from keyferry_server.crypto.key_material_id import KeyMaterialIds
from keyferry_server.crypto.root_key.file import load_root_key_file
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.crypto.wrapping.wrapping_key import WrappingKeyPair
from keyferry_server.domain.key_material import WrappingKeySpec
from keyferry_server.opening import INSTALLATION_PLACE
from keyferry_server.operations.get_parameters_for_import import GetParametersForImport, WrappingKeySource
from keyferry_server.operations.key_use import material_place

IMPORTS = (
    ("RSAES_OAEP_SHA_1", "RSA_4096"),
    ("RSAES_OAEP_SHA_256", "RSA_2048"),
    ("RSA_AES_KEY_WRAP_SHA_1", "RSA_3072"),
    ("RSA_AES_KEY_WRAP_SHA_256", "RSA_2048"),
)


@dataclass
class Watched:
    """A source of wrapping keys that remembers what it passes on."""

    source: WrappingKeySource
    pairs: list[WrappingKeyPair] = field(default_factory=list)

    async def take(self, spec: WrappingKeySpec) -> WrappingKeyPair:
        pair = await self.source.take(spec)
        self.pairs.append(pair)
        return pair


@dataclass(frozen=True)
class Installation:
    """An embedded database after a busy life, still running, and every secret that went through it."""

    server: TestServer
    folder: Path
    secrets: Mapping[str, bytes]

    @property
    def database_url(self) -> str:
        url = self.server.running.database._engine.url
        return url.set(drivername="postgresql").render_as_string(hide_password=False)

    @property
    def root_key_file(self) -> Path:
        return self.folder / "root-key"


@pytest.fixture
async def installation(data_folder: Path, start_server: ServerFactory) -> AsyncIterator[Installation]:
    server = await start_server(
        database_url=None, root_key_file=None, data_dir=data_folder, importable_keys="all"
    )
    operation = server.running.operations[GetParametersForImport]
    watched = Watched(operation.wrapping_keys)
    object.__setattr__(operation, "wrapping_keys", watched)
    known: dict[str, bytes] = {}
    empty = Installation(server, data_folder, known)
    async with server.client() as client:
        await live(server, client, known)
    for number, pair in enumerate(watched.pairs):
        known |= parts_of_rsa_key(f"wrapping key {number}", pair.private_key.reveal())
    assert len(watched.pairs) == len(IMPORTS) + 6
    await add_secrets_of_the_server(empty, known)
    return empty


async def live(server: TestServer, client: KeyManagementServiceClient, known: dict[str, bytes]) -> None:
    """Do all that secrets are touched by, and note them."""

    def fresh(name: str, length: int = 32) -> bytes:
        known[name] = secrets.token_bytes(length)
        return known[name]

    async def bring(
        material: bytes,
        algorithm: str = "RSAES_OAEP_SHA_256",
        spec: str = "RSA_2048",
        expires_in: timedelta | None = None,
    ) -> str:
        key_id = await create_external_key(client)
        parameters = await get_parameters(client, key_id, algorithm, spec)
        valid_to = None if expires_in is None else server.clock.now() + expires_in
        await client.import_key_material_async(
            import_request(key_id, parameters, material, algorithm=algorithm, valid_to=valid_to)
        )
        return key_id

    for algorithm, spec in IMPORTS:
        key_id = await bring(fresh(f"material under {algorithm}"), algorithm, spec)
    await get_parameters(client, key_id)  # never used
    deleted = await bring(fresh("deleted material"))
    await client.delete_imported_key_material_async(DeleteImportedKeyMaterialRequest(key_id=deleted))
    await bring(fresh("expired material"), expires_in=timedelta(minutes=1))
    refused = await create_external_key(client)
    request = import_request(refused, await get_parameters(client, refused), fresh("refused material", 48))
    with pytest.raises(IncorrectKeyMaterialException):
        await client.import_key_material_async(request)
    server.clock.advance(timedelta(minutes=1))
    assert await server.running.sweeper.sweep() == (1, 0)

    plaintext = fresh("plaintext", 100)
    encrypted = await client.encrypt_async(EncryptRequest(key_id=key_id, plaintext=plaintext))
    await client.decrypt_async(DecryptRequest(ciphertext_blob=encrypted.ciphertext_blob))
    data_key = await client.generate_data_key_async(
        GenerateDataKeyRequest(key_id=key_id, key_spec="DATA_KEY_SPEC_AES_256")
    )
    known["data key"] = data_key.plaintext
    pair = await client.generate_data_key_pair_async(
        GenerateDataKeyPairRequest(key_id=key_id, key_pair_spec="DATA_KEY_PAIR_SPEC_RSA_2048")
    )
    known |= parts_of_rsa_key("data key pair", pair.private_key_plaintext)

    private_key = pkcs8(generate("RSA_2048"))
    known |= parts_of_rsa_key("imported private key", private_key)
    for spec, usage, material in (
        ("RSA_2048", "SIGN_VERIFY", private_key),
        ("HMAC_512", "GENERATE_VERIFY_MAC", fresh("imported HMAC key", 64)),
    ):
        key = await create_key(client, spec, usage, "EXTERNAL")
        await bring_material(client, key.key_id, material)
    await client.create_key_async(CreateKeyRequest(origin="ORIGIN_TYPE_AWS_KMS"))


async def add_secrets_of_the_server(installation: Installation, known: dict[str, bytes]) -> None:
    """Open what is sealed with the root key: it is there, and this is what it hides."""
    sealer = Sealer(load_root_key_file(installation.root_key_file))
    async with connected(installation.database_url) as database:
        sealed = await database.fetchval("SELECT sealed_secret FROM installation")
        (generated,) = await database.fetch(
            "SELECT * FROM key_materials JOIN keys USING (key_id) WHERE origin = 'AWS_KMS'"
        )
        imported = await database.fetch("SELECT * FROM key_materials WHERE sealed IS NOT NULL")
    installation_secret = sealer.unseal_at_start(sealed, INSTALLATION_PLACE)
    opened = {
        row["key_id"]: sealer.unseal(row["sealed"], material_place(row["key_id"], row["key_material_id"]))
        for row in [*imported, generated]
    }
    held = {secret.reveal() for secret in opened.values()}
    assert held >= {known[f"material under {algorithm}"] for algorithm, _ in IMPORTS}
    (encoded,) = (
        line.split()[1]
        for line in installation.root_key_file.read_text().splitlines()
        if line.startswith("1 ")
    )
    known |= {
        "generated material": opened[generated["key_id"]].reveal(),
        "installation secret": installation_secret.reveal(),
        "key of the import tokens": _key(ImportTokenCodec(installation_secret)),
        "key of the key material ids": _key(KeyMaterialIds(installation_secret)),
        "root key": base64.b64decode(encoded),
    }


def _key(derived: ImportTokenCodec | KeyMaterialIds) -> bytes:
    assert isinstance(derived._key, Secret)
    return derived._key.reveal()


async def test_the_database_shows_no_secret(installation: Installation) -> None:
    searched = needles(installation.secrets)
    dump = await pg_dump(installation.database_url)
    columns = await values(installation.database_url)
    # It is the whole database: what is no secret is found in it.
    assert b"CREATE TABLE public.import_tokens" in dump
    assert any(name.startswith("public.key_materials.sealed") for name in columns)

    assert leaks([Haystack("the dump", dump)], searched) == []
    assert leaks([Haystack(name, value) for name, value in columns.items()], searched) == []


async def test_no_file_of_the_data_folder_but_the_root_key_shows_a_secret(installation: Installation) -> None:
    searched = needles(installation.secrets)
    sealed = [
        value
        for name, value in (await values(installation.database_url)).items()
        if name.startswith("public.import_tokens.sealed_private_key") and value != b"None"
    ]
    await installation.server.stop()

    found = {path.relative_to(installation.folder): content for path, content in files(installation.folder)}
    root_key = found.pop(Path("root-key"))

    assert leaks([Haystack("root-key", root_key)], searched) != []
    # What was sealed is in the log of Postgres: it is the right place to look.
    log = b"".join(content for path, content in found.items() if "pg_wal" in path.parts)
    assert any(some[:64] in log for some in sealed)
    assert leaks([Haystack(str(path), content) for path, content in found.items()], searched) == []


@pytest.mark.parametrize("form", sorted(forms(bytes(16))))
def test_the_search_finds_a_secret_in_each_form(form: str) -> None:
    secret = secrets.token_bytes(32)
    for before in range(100, 108):
        content = secrets.token_bytes(before) + forms(secret)[form] + secrets.token_bytes(100)
        shown = Haystack("a file", content)

        assert leaks([shown], needles({"secret": secret}))
        assert leaks([shown], needles({"another": secrets.token_bytes(32)})) == []


@pytest.mark.parametrize("form", ["raw", "hex", "base 64 at 1"])
async def test_a_secret_in_the_database_would_be_found(form: str, database_url: str) -> None:
    secret = secrets.token_bytes(32)
    async with connected(database_url) as database:
        await database.execute(
            "INSERT INTO root_key_versions VALUES (1, $1, now())", b"around " + forms(secret)[form] + b" it"
        )

    columns = await values(database_url)

    assert leaks([Haystack(name, value) for name, value in columns.items()], needles({"secret": secret}))
