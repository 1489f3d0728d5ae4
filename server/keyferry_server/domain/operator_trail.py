"""The trail of what an operator does from the command line, beside the calls of callers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from keyferry_server.domain.audit import AuditEvent, format_time


@dataclass(slots=True)
class OperatorTrail:
    """One change that an operator makes: its name, whom it concerns, and with what."""

    operation: str
    moment: datetime
    principal_arn: str
    details: Mapping[str, str]
    command: str = "keyferry-server principal"
    is_written: bool = False

    def events(self) -> Sequence[AuditEvent]:
        """Return the one event of the change."""
        account_id = self.principal_arn.split(":")[4]
        content = {
            "eventVersion": "1.11",
            "eventType": "AwsServiceEvent",
            "eventSource": "kms.amazonaws.com",
            "eventName": self.operation,
            "eventTime": format_time(self.moment),
            "userIdentity": {"accountId": account_id, "invokedBy": self.command},
            "readOnly": False,
            "serviceEventDetails": {"principal": self.principal_arn, **self.details},
        }
        return [AuditEvent.of(self.moment, content)]
