"""How the operations that change aliases come to the one that their caller named: parse, admit."""

from dataclasses import dataclass

from keyferry_server.call import Call
from keyferry_server.domain.alias import parse_alias_name
from keyferry_server.domain.audit_trail import note_alias
from keyferry_server.domain.identifiers import AliasIdentifier
from keyferry_server.operations.gate import Gate


@dataclass(frozen=True, slots=True)
class AliasDoor:
    """Admits callers to the names of their account.

    That is half of it: what names a key, or takes a name off one, needs the permission
    for the key, too.
    """

    gate: Gate

    async def open(self, text: str, call: Call) -> AliasIdentifier:
        """Return the alias of that name, which need not be there."""
        identifier = parse_alias_name(text, call.scope)
        note_alias(identifier.arn)
        await self.gate.admit_to_account(call, resource=identifier.arn)
        return identifier
