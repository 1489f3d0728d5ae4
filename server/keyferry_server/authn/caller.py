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

    @property
    def root_arn(self) -> str:
        """The ARN of its account's root principal, which stands for the account itself."""
        partition = self.arn.split(":", 2)[1]
        return f"arn:{partition}:iam::{self.account_id}:root"

    @property
    def is_root(self) -> bool:
        """Tell whether it is its account's root principal."""
        return self.arn == self.root_arn

    def __str__(self) -> str:
        return self.arn


Caller = Anonymous | Principal
