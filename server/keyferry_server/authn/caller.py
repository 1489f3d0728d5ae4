"""The caller of one call: somebody, or explicitly nobody."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Anonymous:
    """A caller that proved nothing. It may do nothing."""

    def __str__(self) -> str:
        return "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller that belongs to an account; `arn` is what policies and logs name."""

    account_id: str
    arn: str

    def __str__(self) -> str:
        return self.arn


Caller = Anonymous | Principal
