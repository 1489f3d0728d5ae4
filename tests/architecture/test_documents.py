"""What the documents say is so: commands, links, settings, operations, errors and examples exist."""

import os
import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.server import TestServer
from typer.main import get_command

import keyferry.v1
from keyferry_client import (
    AsyncResult,
    CancellationToken,
    CancellationTokenRegistration,
    CancellationTokenSource,
    KeyferryError,
    Task,
    cli,
)
from keyferry_client.cli.app import app as client_app
from keyferry_server.cli import app as server_app
from keyferry_server.crypto.ciphertext import encrypt
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain import errors
from keyferry_server.domain.errors import KmsError, UnreadableRequest
from keyferry_server.routes import ROUTES
from keyferry_server.settings import Settings
from keyferry_server.transport.calls import SERVICES
from keyferry_server.transport.errors import CODES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TEXTS = {str(page.relative_to(ROOT)): page.read_text() for page in PAGES}
OPERATIONS = {method.name for service in SERVICES for method in service.methods}
COMMANDS = {"keyferry": get_command(client_app), "keyferry-server": get_command(server_app)}

_VERBS = (
    "Cancel|Create|Decrypt|Delete|Derive|Describe|Disable|Enable|Encrypt|Explain|Generate|Get|Import|List|Put|"
    "ReEncrypt|Replicate|Retire|Revoke|Rotate|Schedule|Sign|Tag|Untag|Update|Verify"
)
_OPERATION = re.compile(rf"\b(?:{_VERBS})(?:[A-Z][a-z]+)+\b")
_COMMAND_LINE = re.compile(r"(?:^|`|\$\()(keyferry(?:-server)? (?!is ready)[^`)|\n]*)", re.MULTILINE)


def section(name: str, heading: str) -> str:
    """Return a section of a page, without its heading."""
    return re.split(r"^## ", TEXTS[name].split(f"\n## {heading}\n")[1], flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all table rows, headings left out."""
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]
    separators = [number for number, row in enumerate(cells) if set("".join(row)) <= set("-|: ")]
    return [row for number, row in enumerate(cells) if not {number, number + 1} & set(separators)]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leaves(root: type[KmsError]) -> Iterator[type[KmsError]]:
    for one in root.__subclasses__():
        yield from leaves(one) if one.__subclasses__() else [one]


# What is named like an operation and is none: types of the contract, exceptions, events of the audit log.
_NO_OPERATIONS = {
    *keyferry.v1.__all__,
    *(error.__name__ for error in leaves(KmsError)),
    *("DeleteExpiredKeyMaterial", "DeleteKey", "ImportToken", "RotateKey"),
    *("CancelAfter", "CreateLinkedTokenSource", "ImportKeyMaterialAsync"),  # .NET's, in its page
}


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", TEXTS[name]) if "://" not in link]
    lost = []
    for link in links:
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            lost.append(link)
    assert lost == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, new = set(), {ROOT / "README.md"}
    while new:
        page = new.pop()
        reached.add(page)
        links = re.findall(r"\]\(([^)\s#]+)", page.read_text()) if page.suffix == ".md" else []
        new |= {target for link in links if (target := (page.parent / link).resolve()).is_file()} - reached
    assert set(PAGES) - reached == set()


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = {
        **TEXTS,
        **{name: (ROOT / name).read_text() for name in (".ci/run", ".env.example", "docker-compose.yml")},
    }
    named = {
        target
        for text in pages.values()
        for target in re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE)
    }
    assert {"demo", "test", "check", "up"} <= named
    assert named - targets == set()


def test_ci_runs_the_checks_and_then_the_test_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    commands = [line for line in script.read_text().splitlines() if line.startswith("make ")]
    assert commands == ["make check", "make test"]
    assert "make test" in blocks(TEXTS["README.md"], "sh")[0]
    assert stat.S_IMODE(script.stat().st_mode) & 0o111


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_line_that_is_shown_is_understood(name: str) -> None:
    for line in _COMMAND_LINE.findall(TEXTS[name]):
        program, *words = line.split("#")[0].split()
        command: Any = COMMANDS[program]
        options = {option for parameter in command.params for option in parameter.opts}
        for word in words:
            if word in getattr(command, "commands", {}):
                command = command.commands[word]
                options |= {option for parameter in command.params for option in parameter.opts}
            elif word.startswith("--") and word != "--help":
                assert word in options, line
            elif hasattr(command, "default_command"):
                command = command.commands[command.default_command]
                options |= {option for parameter in command.params for option in parameter.opts}
        assert not hasattr(command, "commands") or not words or "…" in words, line


def test_the_settings_are_listed_with_their_defaults() -> None:
    def shown(default: object) -> str:
        return (
            "none" if default is None else str(default).lower() if isinstance(default, bool) else f"{default}"
        )

    listed = {row[0].strip("`"): row[1] for row in rows(section("docs/operations.md", "Settings"))}
    settings = {
        f"KEYFERRY_{name.upper()}": shown(field.default) for name, field in Settings.model_fields.items()
    }
    assert listed == settings


def test_every_variable_that_is_named_exists() -> None:
    known = {f"KEYFERRY_{name.upper()}" for name in Settings.model_fields}
    known |= {variable for option in COMMANDS["keyferry"].params if (variable := option.envvar)}
    known |= set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    named = {variable for text in TEXTS.values() for variable in re.findall(r"\bKEYFERRY_[A-Z_]+\b", text)}
    assert named - known == set()


def test_every_metric_that_is_named_exists() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "server" / "keyferry_server").rglob("*.py"))
    metrics = {row[0].strip("`") for row in rows(section("docs/operations.md", "Metrics"))}
    assert metrics
    assert {metric for metric in metrics if f'"{metric.removesuffix("_total")}"' not in sources} == set()


def test_operations_are_named_where_they_are_and_where_they_are_missed() -> None:
    page = "docs/differences-from-aws.md"
    missed = set(_OPERATION.findall(section(page, "Not there yet")))
    named = {
        re.sub(r"(?:Request|Response|Command)$", "", operation)
        for name, text in TEXTS.items()
        if not name.startswith("docs/reference/")  # made from the contract itself
        for operation in _OPERATION.findall(
            text.replace(section(page, "Not there yet"), "") if name == page else text
        )
    }
    assert missed
    assert missed & OPERATIONS == set()
    assert named - OPERATIONS - _NO_OPERATIONS == set()
    one_word = {"Encrypt", "Decrypt", "ReEncrypt", "Sign", "Verify"}
    assert OPERATIONS - set(_OPERATION.findall(TEXTS["CHANGELOG.md"])) - one_word == set()


def test_the_statuses_of_all_errors_are_listed() -> None:
    listed = {
        row[0].strip("`"): set(re.findall(r"\w+Exception", row[1]))
        for row in rows(section("docs/differences-from-aws.md", "On the wire"))
    }
    actual: dict[str, set[str]] = {}
    for error in leaves(KmsError):
        if error.__module__ == errors.__name__ and not issubclass(error, UnreadableRequest):
            actual.setdefault(CODES[error.category].name, set()).add(error.__name__)
    assert listed == actual


def test_what_awss_wire_alone_refuses_is_told() -> None:
    told = section("docs/differences-from-aws.md", "On the wire")
    assert {error.__name__ for error in leaves(UnreadableRequest) if error.__name__ not in told} == set()


def test_the_deadlines_of_the_routes_are_told() -> None:
    usual = 10
    unusual = {(route.name, route.deadline_seconds) for route in ROUTES if route.deadline_seconds != usual}
    told = section("docs/differences-from-aws.md", "On the wire").split("### Calls have deadlines")[1]
    found = {(name, int(seconds)) for seconds, name in re.findall(r"(\d+)\s+for\s+(\w+)", told)}
    assert (found, f"{usual} seconds" in told) == (unusual, True)


def test_the_documented_way_opens_a_ciphertext_without_the_service() -> None:
    (snippet,) = blocks(TEXTS["docs/ciphertext-format.md"], "python")
    namespace: dict[str, Any] = {}
    exec(compile(snippet, "ciphertext-format.md", "exec"), namespace)  # noqa: S102 -- our own page
    material, context = os.urandom(32), {"tenant": "7", "ä": "", "a": "bc"}
    blob = encrypt(Secret(material), "1234abcd-12ab-34cd-56ef-1234567890ab", "5a" * 32, b"plaintext", context)
    assert namespace["open_ciphertext"](blob, material, context) == b"plaintext"
    assert len(blob) - len(b"plaintext") == 98


async def test_the_examples_of_the_readme_run(server: TestServer, capsys: pytest.CaptureFixture[str]) -> None:
    use, bring = blocks(TEXTS["README.md"], "python")
    namespace: dict[str, Any] = {}
    exec(compile(bring, "README.md", "exec"), namespace)  # noqa: S102 -- our own page
    async with server.client() as client:
        key_id = await namespace["bring"](client, bytearray(os.urandom(32)), CancellationToken.none)

    example, run = use.replace("127.0.0.1:8700", server.address).split("asyncio.run(")
    assert run.startswith("main(")
    exec(compile(example, "README.md", "exec"), namespace)  # noqa: S102 -- as above
    await namespace["main"](key_id)

    assert "b'attack at dawn'" in capsys.readouterr().out.splitlines()


def test_the_first_example_of_the_readme_takes_ten_lines() -> None:
    example = blocks(TEXTS["README.md"], "python")[0]
    assert len([line for line in example.splitlines() if line]) <= 10


def test_the_exit_codes_of_the_command_are_listed() -> None:
    listed = {
        row[0]: row[1].split(":")[0].split(",")[0] for row in rows(section("docs/command.md", "Exit codes"))
    }
    documented = dict(re.findall(r"^    (\d+) +([^,:\n]+)", cli.__doc__ or "", re.MULTILINE))
    assert listed == documented


def test_the_options_of_the_command_are_listed() -> None:
    listed = {row[0].strip("`"): row[1].strip("`") for row in rows(section("docs/command.md", "Options"))}
    assert listed == {
        option.opts[0]: option.envvar or ""
        for option in COMMANDS["keyferry"].params
        if "completion" not in option.opts[0]
    }


def test_every_command_is_listed() -> None:
    def commands(command: Any, words: tuple[str, ...]) -> Iterator[str]:
        inner = {} if not hasattr(command, "commands") else command.commands
        if not inner:
            yield " ".join(words)
        for name, one in inner.items():
            yield from commands(one, (*words, name))

    page = TEXTS["docs/command.md"]
    assert [one for one in commands(COMMANDS["keyferry"], ("keyferry",)) if one not in page] == []


def test_what_the_page_for_dotnet_compares_with_exists() -> None:
    kinds = {
        "task": Task,
        "source": CancellationTokenSource,
        "token": CancellationToken,
        "registration": CancellationTokenRegistration,
        "result": AsyncResult(threading.Event(), None),
        "error": KeyferryError(),
    }
    named = re.findall(r"`(\w+)\.(\w+)", " ".join(row[1] for row in rows(TEXTS["docs/dotnet.md"])))
    members = [(kinds[name], member) for name, member in named if name in kinds]
    assert len(members) >= 27
    assert [member for kind, member in members if not hasattr(kind, member)] == []


def test_what_is_never_repeated_is_listed_for_callers() -> None:
    told = (
        section("docs/client.md", "Deadlines and retries")
        .split("These are never repeated:")[1]
        .split("```")[0]
    )
    methods = [method for service in SERVICES for method in service.methods]
    assert set(re.findall(r"\b[A-Z]\w+[A-Z]\w+", told)) == {
        method.name for method in methods if not method.GetOptions().idempotency_level
    }
