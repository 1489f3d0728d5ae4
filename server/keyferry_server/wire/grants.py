"""Grants: the terms that a request asks for, and a grant as lists show it."""

from collections.abc import Mapping

from keyferry.v1 import CreateGrantRequest, GrantConstraints, GrantListEntry
from keyferry_server.domain import grant as domain
from keyferry_server.wire.enums import format_enum, parse_required_enum


def parse_grant_terms(request: CreateGrantRequest) -> domain.GrantTerms:
    """Return what a grant is asked to allow; an empty constraint is none."""
    return domain.GrantTerms(
        operations=frozenset(
            parse_required_enum(operation, domain.GrantOperation) for operation in request.operations
        ),
        constraints=domain.GrantConstraints(
            equals=_pairs(request.constraints.encryption_context_equals),
            subset=_pairs(request.constraints.encryption_context_subset),
        ),
    )


def format_grant(grant: domain.Grant) -> GrantListEntry:
    """Return a grant as lists show it."""
    constraints = grant.terms.constraints
    entry = GrantListEntry(
        key_id=grant.key.arn,
        grant_id=grant.grant_id,
        name=grant.name or "",
        creation_date=grant.created_at,
        grantee_principal=grant.grantee,
        retiring_principal=grant.retiring,
        issuing_account=grant.issuing_account,
        operations=[format_enum(operation) for operation in sorted(grant.terms.operations)],
    )
    if constraints.equals is not None or constraints.subset is not None:
        entry.constraints.CopyFrom(
            GrantConstraints(
                encryption_context_equals=constraints.equals, encryption_context_subset=constraints.subset
            )
        )
    return entry


def _pairs(pairs: Mapping[str, str]) -> Mapping[str, str] | None:
    return dict(pairs) or None
