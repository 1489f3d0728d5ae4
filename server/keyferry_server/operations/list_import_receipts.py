"""ListImportReceipts: lists the receipts of a key's imports, oldest first. AWS has no such operation."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from keyferry.v1 import ListImportReceiptsRequest, ListImportReceiptsResponse
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.import_receipt import ImportReceipt
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.storage.import_receipt_store import ImportReceiptStore
from keyferry_server.wire.import_receipt import format_import_receipt
from keyferry_server.wire.marker import UUID_PLACE, PagedList

# Microseconds since 1970, and the id of the import token.
IMPORT_RECEIPTS = PagedList("import-receipts", f"[0-9]{{1,17}}/{UUID_PLACE}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ListImportReceipts:
    """Lists the receipts of imports page by page."""

    door: KeyDoor
    receipts: ImportReceiptStore
    clock: Clock

    async def __call__(self, request: ListImportReceiptsRequest, call: Call) -> ListImportReceiptsResponse:
        """Read one page of the key's receipts."""
        page = IMPORT_RECEIPTS.parse(request)

        key = await self.door.open(request.key_id, call)

        key.check_importable()
        key.check_state(call.route.key_states, self.clock.now())

        shown, truncated = page.cut(await self.receipts.list(key, _parse_place(page.after), page.fetch))

        return ListImportReceiptsResponse(
            import_receipts=[format_import_receipt(key, one) for one in shown],
            next_marker=IMPORT_RECEIPTS.format_marker(_format_place(shown[-1])) if truncated else None,
            truncated=truncated,
        )


def _format_place(receipt: ImportReceipt) -> str:
    return f"{(receipt.imported_at - _EPOCH) // _MICROSECOND}/{receipt.token_name}"


def _parse_place(place: str | None) -> tuple[datetime, uuid.UUID] | None:
    if place is None:
        return None
    microseconds, _, token_name = place.partition("/")
    return _EPOCH + int(microseconds) * _MICROSECOND, uuid.UUID(token_name)
