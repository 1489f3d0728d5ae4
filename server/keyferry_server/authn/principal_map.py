"""Which principal a proven name stands for.

1. A SPIFFE ID of the trust domain, in the form of the account's principals::

       spiffe://TRUST-DOMAIN/account/000000000000/role/NAME   or   .../user/NAME   or   .../root

   is arn:aws:iam::000000000000:role/NAME. It needs no entry.
2. Any other name needs an entry in the file of principals (TOML), and an entry comes
   before the rule above::

       [certificates]
       "spiffe://example.org/billing" = "arn:aws:iam::000000000000:role/billing"
       "CN=backup,O=Example" = "arn:aws:iam::000000000000:user/backup"

       [tokens]
       "auth0|5f7c8ec7" = "arn:aws:iam::000000000000:role/deployer"

   Names are compared as they are, character by character.
3. What is neither stands for nobody.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from keyferry_server.authn.caller import Principal
from keyferry_server.domain.errors import shown

_TRUST_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}")
_SPIFFE_PATH = re.compile(r"/account/([0-9]{12})/(root|(?:role|user)/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*)")
_TABLES = ("certificates", "tokens")

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class PrincipalMapError(Exception):
    """The file of principals cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class _Entries:
    certificates: Mapping[str, Principal]
    tokens: Mapping[str, Principal]


class PrincipalMap:
    """Answers by the rules above. `generation` grows when a name may mean somebody else than before."""

    def __init__(self, partition: str, trust_domain: str | None = None, file: Path | None = None) -> None:
        """Read the file; PrincipalMapError says what is wrong with it or with the trust domain."""
        if trust_domain is not None and _TRUST_DOMAIN.fullmatch(trust_domain) is None:
            raise PrincipalMapError(
                f"{shown(trust_domain)!r} is not a SPIFFE trust domain: lower-case letters, digits, dots, dashes, underscores"
            )
        self.generation = 0
        self._partition = partition
        self._trust_domain = trust_domain
        self._file = file
        self._text = "" if file is None else _read(file)
        self._entries = self._parse(self._text)

    def of_certificate(self, spiffe_id: str | None, subject: str) -> Principal | None:
        """Return whom a client certificate stands for, by its SPIFFE ID if it has one, else by its subject."""
        name = subject if spiffe_id is None else spiffe_id
        return self._entries.certificates.get(name) or self._of_spiffe_id(spiffe_id)

    def of_token(self, subject: str) -> Principal | None:
        """Return whom a token's subject stands for."""
        return self._entries.tokens.get(subject) or self._of_spiffe_id(subject)

    def of_arn(self, arn: str) -> Principal | None:
        """Return the principal of an ARN, if it is that of a user, a role or an account's root in this partition."""
        match = re.fullmatch(
            rf"arn:{re.escape(self._partition)}:iam::([0-9]{{12}}):(?:root|(?:user|role)/[\w+=,.@/-]{{1,512}})",
            arn,
            re.ASCII,
        )
        return None if match is None else Principal(match[1], arn)

    def read_again(self) -> None:
        """Follow the file; one that cannot be used changes nothing, and the log says why."""
        if self._file is None:
            return
        try:
            text = _read(self._file)
            if text == self._text:
                return
            self._entries, self._text = self._parse(text), text
        except PrincipalMapError as error:
            _log.error("the file of principals is not used; what was read before goes on", reason=str(error))
            return
        self.generation += 1
        _log.info("the file of principals was read again")

    def _of_spiffe_id(self, name: str | None) -> Principal | None:
        if name is None or self._trust_domain is None:
            return None
        match = _SPIFFE_PATH.fullmatch(name.removeprefix(f"spiffe://{self._trust_domain}"))
        if match is None or not name.startswith("spiffe://") or {".", ".."} & set(match[2].split("/")):
            return None
        return self.of_arn(f"arn:{self._partition}:iam::{match[1]}:{match[2]}")

    def _parse(self, text: str) -> _Entries:
        try:
            document = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise PrincipalMapError(f"{self._file} is not TOML: {error}") from None
        if unknown := sorted(set(document) - set(_TABLES)):
            raise PrincipalMapError(
                f"{self._file} has {unknown[0]!r}; it may have [certificates] and [tokens]"
            )
        return _Entries(*(self._table(document, name) for name in _TABLES))

    def _table(self, document: Mapping[str, object], name: str) -> Mapping[str, Principal]:
        table = document.get(name, {})
        if not isinstance(table, dict):
            raise PrincipalMapError(f"{name} in {self._file} is not a table: write [{name}]")
        principals: dict[str, Principal] = {}
        for key, arn in table.items():
            principal = self.of_arn(arn) if isinstance(arn, str) else None
            if principal is None:
                raise PrincipalMapError(
                    f"{key!r} in [{name}] of {self._file} does not name a principal: "
                    f"expected arn:{self._partition}:iam::ACCOUNT:role/NAME or user/NAME"
                )
            principals[key] = principal
        return principals


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PrincipalMapError(f"the file of principals {file} cannot be read: {error}") from None
