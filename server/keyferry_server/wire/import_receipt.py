"""Formats the receipt of an import."""

from keyferry.v1 import ImportReceipt as ImportReceiptMessage
from keyferry_server.domain.import_receipt import ImportReceipt
from keyferry_server.domain.key import Key
from keyferry_server.wire.enums import format_enum


def format_import_receipt(key: Key, receipt: ImportReceipt) -> ImportReceiptMessage:
    """Return a receipt as callers see it."""
    return ImportReceiptMessage(
        import_token_id=receipt.token_name,
        key_id=key.arn,
        key_material_id=receipt.key_material_id if key.is_symmetric else None,
        wrapping_algorithm=format_enum(receipt.wrapping_algorithm),
        wrapping_key_spec=format_enum(receipt.wrapping_key_spec),
        import_date=receipt.imported_at,
        caller=receipt.caller,
        request_id=receipt.request_id,
    )
