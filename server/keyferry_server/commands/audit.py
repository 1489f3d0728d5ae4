"""`keyferry-server audit`: verify, export, public-key."""

import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from keyferry_server.commands.installation import opened_secret
from keyferry_server.commands.process import DatabaseUrl, DataDir, RootKeyFile, fail, read_settings, run
from keyferry_server.crypto.audit_signature import AuditSigner, is_signed_by
from keyferry_server.domain.audit_check import AuditCheck
from keyferry_server.logs import configure_logs
from keyferry_server.settings import Settings
from keyferry_server.storage.audit_store import AuditStore
from keyferry_server.storage.database import Database

PUBLIC_KEY_DIGITS = 64
LAST_MOMENT = datetime(9999, 12, 31, tzinfo=UTC)
FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)

app = typer.Typer(help="The audit log: every call, chained and signed.", no_args_is_help=True)

# The database's owner cannot make a signature of this key, and can replace the installation's.
PublicKey = Annotated[
    str | None,
    typer.Option(
        help="The key that must have signed, 64 hexadecimal digits, noted when all was well. Default: the installation's own."
    ),
]
Head = Annotated[
    str | None,
    typer.Option(metavar="NUMBER:HASH", help="A head from a server's log that must be in the audit log."),
]
Moment = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"], help="UTC."),
]


@app.command()
def verify(
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
    public_key: PublicKey = None,
    head: Head = None,
) -> None:
    """Check that the audit log is what was written; exit with 1 and every fault if it is not."""
    signed_by = None if public_key is None else _parse_public_key(public_key)
    expected = None if head is None else _parse_head(head)

    async def work(database: Database, signer: AuditSigner) -> None:
        store, key = AuditStore(database), signed_by or signer.public_key
        check = AuditCheck(lambda content, signature: is_signed_by(key, content, signature))
        heads = [one async for one in store.heads()]
        check.check_heads(heads)
        async for record in store.records():
            check.check_record(record)
        check.end()
        lines = [f"{fault.place}: {fault.what}" for fault in check.faults]
        if expected is not None and expected not in {(one.number, one.hash) for one in heads}:
            lines.append(f"head {expected[0]}: it is not the one that --head names")
        if lines:
            fail("\n".join(["the audit log is NOT what was written", *lines]))
        typer.echo(
            f"The audit log is whole: {check.records} records in {check.chains} chains, {check.heads} signed heads."
        )

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command()
def export(
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
    since: Moment = None,
    until: Moment = None,
) -> None:
    """Write the records in the order of their times, each one line of JSON in CloudTrail's shape, to standard output."""
    first = FIRST_MOMENT if since is None else since.replace(tzinfo=UTC)
    last = LAST_MOMENT if until is None else until.replace(tzinfo=UTC)

    async def work(database: Database, _: AuditSigner) -> None:
        async for record in AuditStore(database).records_between(first, last):
            sys.stdout.write(f"{record.event}\n")
        sys.stdout.flush()

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command("public-key")
def show_public_key(
    database_url: DatabaseUrl = None, data_dir: DataDir = None, root_key_file: RootKeyFile = None
) -> None:
    """Show the key that checks the signatures under the audit log. It is no secret; note it elsewhere."""

    async def work(_: Database, signer: AuditSigner) -> None:
        typer.echo(signer.public_key.hex())

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


def _run(settings: Settings, work: Callable[[Database, AuditSigner], Awaitable[None]]) -> None:
    configure_logs("warning", settings.log_format)

    async def with_signer() -> None:
        async with opened_secret(settings) as (database, _, secret):
            await work(database, AuditSigner(secret))

    run(with_signer())


def _parse_public_key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    # Blanks between the digits are none of them.
    if len(text) != PUBLIC_KEY_DIGITS or len(key) * 2 != PUBLIC_KEY_DIGITS:
        raise typer.BadParameter(f"a public key has {PUBLIC_KEY_DIGITS} hexadecimal digits")
    return key


def _parse_head(text: str) -> tuple[int, bytes]:
    number, _, digest = text.partition(":")
    try:
        return int(number), bytes.fromhex(digest)
    except ValueError:
        raise typer.BadParameter("expected NUMBER:HASH, as the server's log has them") from None
