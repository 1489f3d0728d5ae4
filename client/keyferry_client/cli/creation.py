"""Create a key and import its material in one step, or leave nothing usable behind.

1. The form of the material is checked before anything is called.
2. CreateKey, origin EXTERNAL.
3. The import, as in `keyferry import KEY`.
4. If that fails, or is interrupted, whether or not its answer is known: the key is new
   and nobody uses it, so it is scheduled for deletion after the shortest waiting
   period, and standard error names it.
5. DescribeKey. If that fails the key is good all the same, and no call may undo it.
"""

from datetime import datetime

import typer

from keyferry.v1 import CreateKeyRequest, KeyMetadata
from keyferry_client.cli.material import KeySpec
from keyferry_client.cli.terminal import on_one_line
from keyferry_client.client import KeyManagementServiceClient
from keyferry_client.errors import KeyferryError

WAITING_PERIOD_DAYS = 7
_CLEAN_UP_SECONDS = 10.0


async def create_and_import(
    client: KeyManagementServiceClient,
    request: CreateKeyRequest,
    *,
    material: bytearray,
    key_spec: KeySpec,
    valid_to: datetime | None,
) -> KeyMetadata:
    """Return the metadata of a new key that has its material; the errors of CreateKey and of the import.

    Its ID and ARN alone if it cannot be described, which standard error says then.
    """
    key = (await client.create_key_async(request)).key_metadata
    try:
        await client.import_key_async(key_id=key.arn, material=material, valid_to=valid_to, key_spec=key_spec)
    except BaseException:
        await _clean_up(client, key.arn)
        raise
    try:
        return (await client.describe_key_async(key_id=key.arn)).key_metadata
    except KeyferryError as error:
        _tell(f"The key {key.arn} is created and has its material, but describing it failed ({error.name}).")
        return KeyMetadata(key_id=key.key_id, arn=key.arn)
    except BaseException:
        _tell(f"The key {key.arn} is created and has its material.")
        raise


async def _clean_up(client: KeyManagementServiceClient, key_arn: str) -> None:
    try:
        await client.schedule_key_deletion_async(
            key_id=key_arn, pending_window_in_days=WAITING_PERIOD_DAYS, timeout=_CLEAN_UP_SECONDS
        )
    except KeyferryError as error:
        told = (
            f"The key {key_arn}, which was created for this, could not be scheduled for deletion ({error.name}). "
            f"Do it with: keyferry keys schedule-deletion {key_arn} --days {WAITING_PERIOD_DAYS}"
        )
    else:
        told = f"The key {key_arn}, which was created for this, is scheduled for deletion in {WAITING_PERIOD_DAYS} days."
    _tell(told)


def _tell(told: str) -> None:
    typer.echo(f"keyferry: {on_one_line(told)}", err=True)
