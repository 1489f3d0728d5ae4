"""Timestamps: protobuf's seconds and nanoseconds, our aware datetimes in UTC."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from keyferry_server.domain.errors import FieldViolation
from keyferry_server.wire.constraints import violation_error


def parse_timestamp(timestamp: Timestamp, member: str) -> datetime:
    """Return an aware UTC datetime, microseconds kept; ValidationException if it is outside the years 1 to 9999."""
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        description = f"Value at '{member}' failed to satisfy constraint: Member must be a timestamp in the years 1 to 9999"
        raise violation_error((FieldViolation(member, description),)) from None
