"""Opening what a server and the operator's commands share: the root key, the database, the installation's secret.

It stands apart from the composition root, so that a command that serves nothing does
not load what serves.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import platformdirs
from pydantic import SecretStr

from keyferry_server.crypto.installation import INSTALLATION_SECRET_BYTES
from keyferry_server.crypto.root_key import RootKeyProvider
from keyferry_server.crypto.root_key.environment import EnvironmentRootKeyProvider
from keyferry_server.crypto.root_key.file import FileRootKeyProvider, generate_root_key_file
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.sealed_places import INSTALLATION_SECRET
from keyferry_server.settings import Settings
from keyferry_server.storage.database import Database, DatabaseUnusableError
from keyferry_server.storage.embedded import EmbeddedPostgres, find_software, make_data_folder
from keyferry_server.storage.installation_store import InstallationStore
from keyferry_server.storage.schema import check_schema, migrate
from keyferry_server.storage.url import parse_database_url, where_database_is

INSTALLATION_PLACE = INSTALLATION_SECRET.place(1)


class StartError(Exception):
    """The server cannot start; the text says why and what to do."""


class WrongSettingError(StartError):
    """A setting is wrong in a way that only shows while the server starts; the text names its variable."""


@asynccontextmanager
async def with_database(settings: Settings, *, may_make: bool) -> AsyncIterator[Settings]:
    """Start the embedded Postgres if no database is named; yield settings that name the database and the root key.

    StartError if there is none in the data folder and it may not be made.
    """
    if settings.database_url is not None:
        yield settings
        return
    find_software()  # before anything is made: what cannot start leaves nothing behind
    folder = settings.data_dir or default_data_dir()
    if not (may_make or (folder / "postgres").exists()):
        raise StartError(
            f"there is no Keyferry in {folder}: name the folder of one with --data-dir or KEYFERRY_DATA_DIR, or its database "
            "with --database-url or KEYFERRY_DATABASE_URL. Only `keyferry-server serve` makes a new one"
        )
    own_root_key = _embedded_root_key(settings, folder)
    postgres = await EmbeddedPostgres.start(folder)
    try:
        await migrate(postgres.url(), settings.database_connect_timeout_seconds)
        named = {"database_url": SecretStr(postgres.dsn()), "database_password_file": None, "data_dir": None}
        yield settings.model_copy(update=named | own_root_key)
    finally:
        await postgres.stop()


@asynccontextmanager
async def opened(
    settings: Settings, *, may_make: bool = False
) -> AsyncIterator[tuple[RootKeyProvider, Database]]:
    """Find the root key and open the database at its schema: the operator's, or our own embedded one.

    A new embedded one is made for who may make it.
    """
    async with with_database(settings, may_make=may_make) as named:
        provider = root_key_provider(named)
        provider.load()  # before anything is opened: what cannot start leaves nothing behind
        database = open_database(named)
        try:
            with naming_database(settings):
                await check_schema(database)
            yield provider, database
        finally:
            await database.close()


def open_database(settings: Settings) -> Database:
    """Open the operator's database."""
    return Database(
        database_url(settings),
        pool_size=settings.database_pool_size,
        connect_timeout=settings.database_connect_timeout_seconds,
        statement_timeout=settings.database_statement_timeout_seconds,
    )


@contextmanager
def naming_database(settings: Settings) -> Iterator[None]:
    """Say in a DatabaseUnusableError where the operator's database was looked for, and which setting says so."""
    try:
        yield
    except DatabaseUnusableError as error:
        if settings.database_url is None:
            raise
        where = where_database_is(settings.database_url.get_secret_value())
        raise DatabaseUnusableError(f"{error} (KEYFERRY_DATABASE_URL or --database-url: {where})") from error


def database_url(settings: Settings) -> str:
    """Return the operator's database URL with its password in it."""
    if settings.database_url is None:
        raise StartError("there is no database URL: give --database-url or KEYFERRY_DATABASE_URL")
    password = None
    if settings.database_password_file is not None:
        password = _secret_in(settings.database_password_file, "KEYFERRY_DATABASE_PASSWORD_FILE")
    return parse_database_url(settings.database_url.get_secret_value(), password)


def root_key_provider(settings: Settings) -> RootKeyProvider:
    """Return where the settings say that the root key is."""
    if settings.root_key is not None:
        return EnvironmentRootKeyProvider(Secret(settings.root_key.get_secret_value().encode()))
    if settings.root_key_file is not None:
        return FileRootKeyProvider(settings.root_key_file)
    if settings.pkcs11_module is not None:
        return _pkcs11(settings, settings.pkcs11_module)
    raise StartError(
        "a server with a database URL needs its root key: make one with `keyferry-server root-key generate --out FILE`, "
        "keep a copy of it apart from the database's backups, and name it with --root-key-file or KEYFERRY_ROOT_KEY_FILE"
    )


def default_data_dir() -> Path:
    """Return where the embedded Postgres lives when nobody says otherwise.

    As root it runs as another user, whom root's own folders are closed to.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/keyferry")
    return Path(platformdirs.user_data_dir("keyferry", appauthor=False))


async def installation_secret_of(store: InstallationStore, sealer: Sealer, clock: Clock) -> Secret:
    """Return the installation's secret; it is made with the first use of a database."""

    def make() -> bytes:
        return sealer.seal(Secret.generate(INSTALLATION_SECRET_BYTES), INSTALLATION_PLACE)

    sealed = await store.load_or_add(make, clock.now())
    return sealer.unseal_at_start(sealed, INSTALLATION_PLACE)


def _secret_in(file: Path, variable: str) -> str:
    try:
        return file.read_text().rstrip("\r\n")
    except OSError as error:
        raise StartError(f"{variable}: {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        # The error itself shows a byte of it.
        raise StartError(f"{variable}: {file} is not text") from None


def _pkcs11(settings: Settings, module: Path) -> RootKeyProvider:
    try:
        from keyferry_server.crypto.root_key.pkcs11 import Pkcs11RootKeyProvider  # noqa: PLC0415 -- an extra
    except ImportError:
        raise StartError(
            "a root key in a PKCS#11 device needs the extra: pip install 'keyferry-server[pkcs11]'"
        ) from None
    pin = settings.pkcs11_pin.get_secret_value() if settings.pkcs11_pin is not None else None
    if settings.pkcs11_pin_file is not None:
        pin = _secret_in(settings.pkcs11_pin_file, "KEYFERRY_PKCS11_PIN_FILE")
    return Pkcs11RootKeyProvider(
        module, settings.pkcs11_token or "", Secret((pin or "").encode()), settings.pkcs11_key_label
    )


def _embedded_root_key(settings: Settings, folder: Path) -> dict[str, Path]:
    """Return the setting of the embedded database's root key, which is made with the database and never later.

    Nothing if the settings say where it is.
    """
    if settings.root_key or settings.root_key_file or settings.pkcs11_module:
        root_key_provider(settings).load()
        return {}
    path = folder / "root-key"
    if not path.exists():
        if (folder / "postgres").exists():
            raise StartError(
                f"{path} is missing, but {folder / 'postgres'} holds keys that only it opens: put the root key back "
                "from your copy, or choose another data folder"
            )
        make_data_folder(folder)
        generate_root_key_file(path)
    return {"root_key_file": path}
