"""`keyferry-server policy`: check, explain."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from keyferry_server.administration.policy_doubts import doubts
from keyferry_server.authn.caller import Principal
from keyferry_server.authz.conditions import Circumstances
from keyferry_server.authz.decision import Decision
from keyferry_server.authz.explanation import DeciderKind, deciders
from keyferry_server.authz.policy.parser import Kind, read_policy
from keyferry_server.commands.installation import Installation, opened_installation
from keyferry_server.commands.principal import read_document
from keyferry_server.commands.process import (
    REFUSED,
    DatabaseUrl,
    DataDir,
    RootKeyFile,
    fail,
    read_settings,
    run,
)
from keyferry_server.crypto.grant_token import GrantTokenCodec
from keyferry_server.domain.errors import KmsError
from keyferry_server.domain.identifiers import Scope, parse_key_identifier
from keyferry_server.domain.principal import parse_principal_name
from keyferry_server.logs import configure_logs
from keyferry_server.operations.access_question import AccessQuestions, parse_action
from keyferry_server.operations.gate import Gate
from keyferry_server.settings import Settings
from keyferry_server.storage.caller_store import CallerStore
from keyferry_server.storage.grant_store import GrantStore
from keyferry_server.storage.key_store import KeyStore

app = typer.Typer(help="Policies: check one, and ask what they decide.", no_args_is_help=True)

# An ARN names its Region after so many.
_REGION_COLONS = 3
_WORDS = {
    DeciderKind.KEY_POLICY: "key policy",
    DeciderKind.IDENTITY_POLICY: "policy",
    DeciderKind.GRANT: "grant",
}


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="File with the policy document, or - for standard input.")],
    *,
    identity: Annotated[
        bool, typer.Option("--identity", help="It is for a principal. Default: for a key.")
    ] = False,
) -> None:
    """Check a policy document; exit with 1 and the place if it is not valid.

    Actions and condition keys that there are not are valid: they are warned of on standard error.
    """
    kind = Kind.IDENTITY_POLICY if identity else Kind.KEY_POLICY
    try:
        document = read_policy(read_document(file), kind)
    except KmsError as error:
        fail(error.message)
    for doubt in doubts(document):
        typer.echo(f"keyferry-server: warning: {doubt}", err=True)
    typer.echo(f"The {kind.value} is valid; it has {len(document.statements)} statements.")


@app.command()
def explain(
    principal: Annotated[str, typer.Option(help="ARN of the principal that would ask.")],
    action: Annotated[str, typer.Option(help="Permission, for example kms:Decrypt.")],
    key: Annotated[str, typer.Option(help="Key ID or key ARN.")],
    context: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A pair of the encryption context.")
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="A condition key that the request would have; again for more values."
        ),
    ] = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Say whether a principal may do something with a key, and what decides it; exit with 1 if it may not."""
    supposed: dict[str, list[str]] = {}
    for name, value in _pairs(condition):
        supposed.setdefault(name, []).append(value)
    settings = read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file)
    configure_logs("warning", settings.log_format)
    allowed = False

    async def work() -> None:
        nonlocal allowed
        async with opened_installation(settings) as installation:
            decision = await _decide(
                installation, settings, principal, action, key, dict(_pairs(context)), supposed
            )
        allowed = decision.is_allowed
        typer.echo(f"{'ALLOWED' if allowed else 'DENIED'}: {decision.reason.value}")
        for decider in deciders(decision):
            words = [
                _WORDS[decider.kind],
                decider.name,
                decider.statement,
                decider.sid and f"({decider.sid})",
            ]
            typer.echo(f"  {' '.join(word for word in words if word)}")

    run(work())
    raise typer.Exit(0 if allowed else REFUSED)


async def _decide(
    installation: Installation,
    settings: Settings,
    principal: str,
    action: str,
    key: str,
    context: Mapping[str, str],
    supposed: Mapping[str, Sequence[str]],
) -> Decision:
    name = parse_principal_name(principal)
    permission = parse_action(action)
    region = key.split(":")[3] if key.count(":") >= _REGION_COLONS else settings.default_region
    scope = Scope(settings.partition, region, settings.default_account)
    identifier = parse_key_identifier(key, scope)
    guarded = await KeyStore(installation.database).load(identifier)
    grants = GrantStore(installation.database)
    gate = Gate(
        CallerStore(installation.database), grants, GrantTokenCodec(installation.secret), installation.clock
    )
    circumstances = Circumstances(
        caller=Principal(name.account_id, name.arn),
        now=installation.clock.now(),
        region=scope.region,
        source_ip=None,
        is_encrypted=False,
    )
    return await AccessQuestions(gate, grants).ask(guarded, permission, circumstances, context, supposed)


def _pairs(texts: list[str] | None) -> Iterable[tuple[str, str]]:
    for text in texts or []:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise typer.BadParameter(f"expected KEY=VALUE, not {text!r}")
        yield name, value
