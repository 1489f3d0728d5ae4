import io
import json
import stat
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from unit.client.command import keyferry
from unit.client.importer import MATERIAL, MATERIAL_ID, TOKEN, VALID_TO, Importer, timestamp
from unit.client.small_kms import KEY_ARN, SmallKms
from unit.client.small_service import SmallService, answering

from keyferry.v1 import (
    CreateKeyRequest,
    CreateKeyResponse,
    DeleteImportedKeyMaterialRequest,
    DeleteImportedKeyMaterialResponse,
    DescribeKeyResponse,
    DisableKeyResponse,
    EnableKeyResponse,
    ExpirationModelType,
    GenerateRandomRequest,
    GenerateRandomResponse,
    GetParametersForImportRequest,
    KeyListEntry,
    KeyMetadata,
    KeyState,
    ListKeysRequest,
    ListKeysResponse,
    OriginType,
)
from keyferry_client.cli.app import app
from keyferry_client.envelope_format import read_header

METADATA = KeyMetadata(
    aws_account_id="000000000000",
    key_id="0e9a8f4e-6f1c-4a52-b7c1-1d7d1d1b5c11",
    arn=KEY_ARN,
    creation_date=timestamp(VALID_TO),
    enabled=False,
    description="",
    key_state=KeyState.KEY_STATE_PENDING_IMPORT,
    origin=OriginType.ORIGIN_TYPE_EXTERNAL,
    encryption_algorithms=["ENCRYPTION_ALGORITHM_SPEC_SYMMETRIC_DEFAULT"],
)


@pytest.fixture
def material_file(tmp_path: Path) -> Path:
    path = tmp_path / "material"
    path.write_bytes(MATERIAL)
    return path


async def test_keys_create_passes_origin_and_description_and_shows_the_key(service: SmallService) -> None:
    seen: list[CreateKeyRequest] = []

    async def create(request: CreateKeyRequest, _: Any) -> CreateKeyResponse:
        seen.append(request)
        return CreateKeyResponse(key_metadata=METADATA)

    service.serve(CreateKey=create)
    create_command = ("--endpoint", service.address, "keys", "create")
    outcome = await keyferry(*create_command, "--origin", "EXTERNAL", "--description", "payroll")
    await keyferry(*create_command)
    assert seen == [
        CreateKeyRequest(origin="ORIGIN_TYPE_EXTERNAL", description="payroll"),
        CreateKeyRequest(origin="ORIGIN_TYPE_AWS_KMS", description=""),
    ]
    lines = dict(line.split(maxsplit=1) for line in outcome.out.splitlines() if " " in line.strip())
    assert lines["Arn"] == KEY_ARN
    assert lines["KeyState"] == "PendingImport"
    assert lines["Enabled"] == "no"


async def test_json_has_the_names_and_values_of_aws(service: SmallService) -> None:
    service.serve(DescribeKey=answering(DescribeKeyResponse(key_metadata=METADATA)))
    outcome = await keyferry("--endpoint", service.address, "--output", "json", "keys", "describe", "x")
    assert outcome.json == {
        "KeyMetadata": {
            "AWSAccountId": "000000000000",
            "KeyId": METADATA.key_id,
            "Arn": KEY_ARN,
            "CreationDate": "2030-01-31T12:00:00+00:00",
            "Enabled": False,
            "Description": "",
            "KeyState": "PendingImport",
            "Origin": "EXTERNAL",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        }
    }


async def test_json_escapes_what_could_steer_the_terminal_and_nothing_else(service: SmallService) -> None:
    description = "Gehälter 給料 🔑 \x1b[2J \x7f \x9b2J \u202e \U000e0001 \n"
    metadata = KeyMetadata(description=description)
    service.serve(DescribeKey=answering(DescribeKeyResponse(key_metadata=metadata)))
    outcome = await keyferry("--endpoint", service.address, "--output", "json", "keys", "describe", "x")
    assert outcome.json == {"KeyMetadata": {"Description": description}}
    assert all(line.isprintable() for line in outcome.out.split("\n"))
    assert "Gehälter 給料 🔑 \\u001b[2J \\u007f \\u009b2J \\u202e \\udb40\\udc01 \\n" in outcome.out


async def test_a_sentence_does_not_steer_the_terminal_either(service: SmallService) -> None:
    deleted = DeleteImportedKeyMaterialResponse(key_id="a\x9b2Jb\x1bc")
    service.serve(DeleteImportedKeyMaterial=answering(deleted))
    outcome = await keyferry("--endpoint", service.address, "keys", "delete-material", "x")
    assert outcome.out == "a 2Jb c has no key material; import the same again to use it.\n"


async def test_keys_list_follows_the_markers_to_the_end(service: SmallService) -> None:
    entries = [KeyListEntry(key_id=f"key-{number}", key_arn=f"arn-{number}") for number in range(5)]
    seen: list[ListKeysRequest] = []

    async def list_keys(request: ListKeysRequest, _: Any) -> ListKeysResponse:
        seen.append(request)
        start = int(request.marker or "0")
        is_truncated = start + 2 < len(entries)
        return ListKeysResponse(
            keys=entries[start : start + 2],
            truncated=is_truncated,
            next_marker=str(start + 2) if is_truncated else None,
        )

    service.serve(ListKeys=list_keys)
    outcome = await keyferry("--endpoint", service.address, "keys", "list")
    assert outcome.out.splitlines()[1:] == [f"key-{number}  arn-{number}" for number in range(5)]
    assert seen == [ListKeysRequest(), ListKeysRequest(marker="2"), ListKeysRequest(marker="4")]
    as_json = await keyferry("--endpoint", service.address, "--output", "json", "keys", "list")
    assert [key["KeyId"] for key in as_json.json["Keys"]] == [entry.key_id for entry in entries]


async def test_keys_enable_disable_and_delete_material_name_the_key(service: SmallService) -> None:
    seen: list[str] = []

    def noting(response: Any) -> Callable[[Any, Any], Any]:
        async def operation(request: Any, _: Any) -> Any:
            seen.append(f"{type(request).__name__} {request.key_id}")
            return response

        return operation

    deleted = DeleteImportedKeyMaterialResponse(key_id=KEY_ARN, key_material_id=MATERIAL_ID)
    service.serve(
        EnableKey=noting(EnableKeyResponse()),
        DisableKey=noting(DisableKeyResponse()),
        DeleteImportedKeyMaterial=noting(deleted),
    )
    for command in ("enable", "disable", "delete-material"):
        outcome = await keyferry("--endpoint", service.address, "--output", "json", "keys", command, "x")
        expected = {"KeyId": KEY_ARN, "KeyMaterialId": MATERIAL_ID} if command == "delete-material" else {}
        assert outcome.json == expected
    assert seen == [
        "EnableKeyRequest x",
        "DisableKeyRequest x",
        f"{DeleteImportedKeyMaterialRequest.__name__} x",
    ]


async def test_the_ceremony_carries_the_material_wrapped(
    service: SmallService,
    importer: Importer,
    material_file: Path,
    tmp_path: Path,
    free_port: Callable[[], int],
) -> None:
    folder = tmp_path / "carried"
    offline = f"127.0.0.1:{free_port()}"
    params = await keyferry("--endpoint", service.address, "import", "params", "x", "--out", folder)
    assert params.code == 0, params.err
    wrapped = await keyferry(
        "--endpoint", offline, "import", "wrap", folder, "--material-file", material_file
    )
    assert wrapped.code == 0, wrapped.err
    submitted = await keyferry(
        *("--endpoint", service.address, "--output", "json"),
        *("import", "submit", folder, "--valid-to", "2030-01-31T13:00:00+01:00"),
    )
    assert submitted.json == {"KeyId": KEY_ARN, "KeyMaterialId": MATERIAL_ID}
    assert importer.asked == [
        GetParametersForImportRequest(
            key_id="x",
            wrapping_algorithm="ALGORITHM_SPEC_RSAES_OAEP_SHA_256",
            wrapping_key_spec="WRAPPING_KEY_SPEC_RSA_3072",
        )
    ]
    (request,) = importer.imported
    assert importer.material == MATERIAL
    assert (request.key_id, request.import_token) == (KEY_ARN, TOKEN)
    assert request.valid_to.ToDatetime(UTC) == VALID_TO
    assert request.expiration_model == ExpirationModelType.EXPIRATION_MODEL_TYPE_KEY_MATERIAL_EXPIRES


async def test_the_carried_folder_holds_no_key_material_and_its_parameters_no_secrets(
    service: SmallService, importer: Importer, material_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "carried"
    await keyferry("--endpoint", service.address, "import", "params", "x", "--out", folder)
    await keyferry("import", "wrap", folder, "--material-file", material_file)
    assert {path.name: path.stat().st_size for path in folder.glob("*")} == {
        "parameters.json": (folder / "parameters.json").stat().st_size,
        "public_key.der": 422,
        "import_token.bin": len(TOKEN),
        "encrypted_key_material.bin": 384,
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert json.loads((folder / "parameters.json").read_text()) == {
        "Format": 1,
        "KeyId": KEY_ARN,
        "KeySpec": "SYMMETRIC_DEFAULT",
        "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
        "WrappingKeySpec": "RSA_3072",
        "ParametersValidTo": "2030-01-31T12:00:00+00:00",
    }
    assert all(MATERIAL not in path.read_bytes() for path in folder.iterdir())


async def test_parameters_do_not_overwrite_a_folder_in_use(
    service: SmallService, importer: Importer, tmp_path: Path
) -> None:
    for place in (tmp_path / "folder", tmp_path / "folder" / "file"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        (tmp_path / "folder" / "file").write_bytes(b"mine")
        outcome = await keyferry("--endpoint", service.address, "import", "params", "x", "--out", place)
        assert (outcome.code, "is not an empty folder" in outcome.err) == (1, True)
    assert importer.asked == []


async def test_the_steps_of_the_ceremony_say_which_step_is_missing(
    service: SmallService, importer: Importer, material_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "carried"
    early_wrap = await keyferry("import", "wrap", folder, "--material-file", material_file)
    assert early_wrap.code == 1
    assert "parameters.json is missing: it comes from `keyferry import params`" in early_wrap.err
    await keyferry("--endpoint", service.address, "import", "params", "x", "--out", folder)
    early_submit = await keyferry("--endpoint", service.address, "import", "submit", folder, "--no-expiry")
    assert early_submit.code == 1
    assert "encrypted_key_material.bin is missing: it comes from `keyferry import wrap`" in early_submit.err
    assert importer.imported == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"Format": 2}', b'{"Format": 1}', b"\xff"])
def test_parameters_that_cannot_be_read_are_refused(
    content: bytes, material_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "parameters.json").write_bytes(content)
    wrap = ["import", "wrap", str(tmp_path), "--material-file", str(material_file)]
    result = CliRunner().invoke(app, wrap)
    assert result.exit_code == 1
    assert result.stderr.startswith("keyferry: ImportFolderError: ")


async def test_import_takes_the_material_from_standard_input(
    service: SmallService, importer: Importer
) -> None:
    outcome = await keyferry(
        *("--endpoint", service.address, "--output", "json"),
        *("import", "x", "--material-file", "-", "--no-expiry"),
        stdin=MATERIAL,
    )
    assert outcome.json["KeyMaterialId"] == MATERIAL_ID
    assert importer.material == MATERIAL
    (request,) = importer.imported
    assert not request.HasField("valid_to")
    assert request.expiration_model == ExpirationModelType.EXPIRATION_MODEL_TYPE_KEY_MATERIAL_DOES_NOT_EXPIRE


async def test_import_takes_the_wrapping_that_is_asked_for(
    service: SmallService, importer: Importer, material_file: Path
) -> None:
    wrapping = ("--wrapping-algorithm", "RSA_AES_KEY_WRAP_SHA_1", "--wrapping-key-spec", "RSA_4096")
    run = ("import", "x", "--material-file", material_file, "--no-expiry", *wrapping)
    assert (await keyferry("--endpoint", service.address, *run)).code == 0
    assert importer.asked == [
        GetParametersForImportRequest(
            key_id="x",
            wrapping_algorithm="ALGORITHM_SPEC_RSA_AES_KEY_WRAP_SHA_1",
            wrapping_key_spec="WRAPPING_KEY_SPEC_RSA_4096",
        )
    ]
    assert len(importer.imported[0].encrypted_key_material) == 384 + 40


@pytest.mark.parametrize(
    ("material", "slip"),
    [
        (MATERIAL + b"\n", "trailing newline"),
        (MATERIAL.hex().encode(), "hexadecimal"),
        (bytes(5000), "more than 4096"),
    ],
)
async def test_material_of_the_wrong_form_is_refused_before_anything_is_called(
    material: bytes, slip: str, service: SmallService, importer: Importer
) -> None:
    run = ("import", "x", "--material-file", "-", "--no-expiry")
    outcome = await keyferry("--endpoint", service.address, *run, stdin=material)
    assert outcome.code == 1
    assert outcome.err.startswith("keyferry: KeyMaterialError: ")
    assert slip in outcome.err
    assert MATERIAL.hex() not in outcome.err
    assert importer.asked == []


async def test_a_file_is_encrypted_under_its_context_and_decrypted(
    service: SmallService, kms: SmallKms, tmp_path: Path
) -> None:
    plain, sealed, opened = tmp_path / "plain", tmp_path / "sealed", tmp_path / "opened"
    plain.write_bytes(bytes(200_000))
    session = ("--endpoint", service.address, "--output", "json")
    context = ("--context", "purpose=pay=roll", "--context", "empty=")
    encrypted = await keyferry(*session, "encrypt", "x", "--in", plain, "--out", sealed, *context)
    decrypted = await keyferry(*session, "decrypt", "--in", sealed, "--out", opened)
    assert opened.read_bytes() == plain.read_bytes()
    protection = {"KeyId": KEY_ARN, "EncryptionContext": {"purpose": "pay=roll", "empty": ""}}
    assert encrypted.json == {**protection, "Out": str(sealed)}
    assert decrypted.json == {**protection, "Out": str(opened)}
    assert read_header(io.BytesIO(sealed.read_bytes())).encryption_context == protection["EncryptionContext"]


async def test_random_bytes_go_into_a_file_and_nowhere_else(service: SmallService, tmp_path: Path) -> None:
    async def random(request: GenerateRandomRequest, _: Any) -> GenerateRandomResponse:
        return GenerateRandomResponse(plaintext=b"R" * request.number_of_bytes)

    service.serve(GenerateRandom=random)
    target = tmp_path / "random"
    outcome = await keyferry("--endpoint", service.address, "random", "--bytes", "33", "--out", target)
    assert outcome.code == 0
    assert target.read_bytes() == b"R" * 33
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert "RRR" not in outcome.out + outcome.err
