"""ExplainAccess: says whether a principal may do something with a key, and what decides it.

It is Keyferry's own. Nothing is done with the key, and what is not said of the
request that would be made is as in this call.
"""

from dataclasses import dataclass

from keyferry.v1 import AccessDecider, ExplainAccessRequest, ExplainAccessResponse
from keyferry_server.authn.caller import Principal
from keyferry_server.authz.admission import denied_across_accounts, known_caller
from keyferry_server.authz.conditions import Circumstances, parse_source_ip
from keyferry_server.authz.explanation import Decider, deciders
from keyferry_server.call import Call
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.key import GuardedKey
from keyferry_server.domain.principal import parse_principal_name
from keyferry_server.operations.access_question import AccessQuestions, parse_action
from keyferry_server.operations.key_door import KeyDoor


@dataclass(frozen=True, slots=True)
class ExplainAccess:
    """Explains decisions."""

    door: KeyDoor
    questions: AccessQuestions
    clock: Clock

    async def __call__(self, request: ExplainAccessRequest, call: Call) -> ExplainAccessResponse:
        """Decide about the request that would be made, and say why."""
        permission = parse_action(request.action)
        named = parse_principal_name(request.principal) if request.principal else None

        key = await self.door.open(request.key_id, call)
        caller = known_caller(call.caller, call.route.permission, key.arn)
        if named is not None and named.account_id != caller.account_id:
            raise denied_across_accounts(caller, call.route.permission, named.arn)

        circumstances = Circumstances(
            caller=caller if named is None else Principal(named.account_id, named.arn),
            now=self.clock.now(),
            region=call.scope.region,
            source_ip=parse_source_ip(call.peer),
            is_encrypted=call.is_encrypted,
        )
        supposed = {given.key: tuple(given.values) for given in request.conditions}
        decision = await self.questions.ask(
            GuardedKey(key), permission, circumstances, dict(request.encryption_context), supposed
        )

        return ExplainAccessResponse(
            allowed=decision.is_allowed,
            reason=decision.reason.value,
            decided_by=[_format(decider) for decider in deciders(decision)],
        )


def _format(decider: Decider) -> AccessDecider:
    return AccessDecider(
        kind=f"ACCESS_DECIDER_KIND_{decider.kind}",
        name=decider.name,
        statement=decider.statement,
        # JSON can name half of a surrogate pair, which no answer can hold.
        sid=None if decider.sid is None else decider.sid.encode(errors="backslashreplace").decode(),
    )
