"""Dry runs: a call that is only tried ends where it would begin to act."""

from keyferry_server.domain.errors import DryRunOperationException


def stop_if_dry_run(dry_run: bool) -> None:  # noqa: FBT001 -- the member of the request, as it is
    """Raise DryRunOperationException if the call is only tried; every check must be before this."""
    if dry_run:
        raise DryRunOperationException
