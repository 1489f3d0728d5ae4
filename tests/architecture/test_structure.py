"""The index stays honest: the descriptor, the routes, the operation files, the client and both error trees agree."""

import importlib
import inspect
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor

import keyferry_client
import keyferry_migrations
import keyferry_server
import keyferry_server.operations
from keyferry import v1
from keyferry_client import CancellationToken, KeyManagementServiceClient, Task
from keyferry_client import errors as client_errors
from keyferry_client.status_details import error_of_call
from keyferry_server.authz.permission import Permission
from keyferry_server.call import Route
from keyferry_server.domain.errors import (
    Category,
    FieldViolation,
    KmsError,
    UnreadableRequest,
    ValidationException,
)
from keyferry_server.domain.identifiers import Accepts
from keyferry_server.routes import ROUTES
from keyferry_server.transport.calls import SERVICES
from keyferry_server.transport.errors import CODES, format_error

METHODS: list[MethodDescriptor] = [method for service in SERVICES for method in service.methods]
OPERATIONS = Path(inspect.getfile(keyferry_server.operations)).parent
PACKAGES = (keyferry_server, keyferry_client, keyferry_migrations)
LONGEST_DEADLINE_SECONDS = 60

# The one refusal of the client that no server of its own release sends.
UNKNOWN_TO_THE_CLIENT = client_errors.UnknownServerError


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def leaves(root: type[typing.Any]) -> Iterator[type[typing.Any]]:
    for one in root.__subclasses__():
        if one.__subclasses__():
            yield from leaves(one)
        else:
            yield one


def sent_and_received(error: KmsError) -> client_errors.KeyferryError:
    """Send an error through the one mapping out and the one mapping in."""
    code, message, trailers = format_error(error, "request-1")
    failure = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailers), message)
    return error_of_call(failure, "127.0.0.1:8700")


# gRPC refuses by itself what is no request: such refusals are AWS's wire's alone.
SERVER_ERRORS = sorted(set(leaves(KmsError)) - set(leaves(UnreadableRequest)), key=lambda one: one.__name__)


@pytest.fixture(params=METHODS, ids=lambda method: method.name)
def method(request: pytest.FixtureRequest) -> MethodDescriptor:
    return request.param


@pytest.fixture
def route(method: MethodDescriptor) -> Route:
    (found,) = [route for route in ROUTES if route.name == method.name]
    return found


def test_every_rpc_has_exactly_one_route_and_every_route_an_rpc() -> None:
    assert sorted(route.name for route in ROUTES) == sorted(method.name for method in METHODS)


def test_every_rpc_names_its_messages_after_itself(method: MethodDescriptor) -> None:
    assert method.input_type.name == f"{method.name}Request"
    assert method.output_type.name == f"{method.name}Response"


def test_every_rpc_has_one_operation_file_that_holds_the_class_of_its_name(
    method: MethodDescriptor, route: Route
) -> None:
    module = importlib.import_module(f"keyferry_server.operations.{snake(method.name)}")
    assert route.operation is getattr(module, method.name)
    assert route.operation.__module__ == module.__name__
    assert (module.__doc__ or "").startswith(f"{method.name}: ")


def test_no_operation_stands_in_two_files() -> None:
    names = {method.name for method in METHODS}
    homes = [
        (name, path.name)
        for path in OPERATIONS.glob("*.py")
        for name in re.findall(r"^class (\w+)", path.read_text(), re.MULTILINE)
        if name in names
    ]
    assert sorted(homes) == sorted((name, f"{snake(name)}.py") for name in names)


def test_every_operation_takes_its_own_request_and_gives_its_own_response(
    method: MethodDescriptor, route: Route
) -> None:
    hints = typing.get_type_hints(route.operation.__call__)
    assert hints["request"] is getattr(v1, method.input_type.name)
    assert hints["return"] is getattr(v1, method.output_type.name)


def test_every_route_asks_for_permissions_of_the_enum(route: Route) -> None:
    assert route.permissions
    assert all(isinstance(permission, Permission) for permission in route.permissions)
    assert all(permission.startswith(f"kms:{route.name}") for permission in route.permissions)


def test_every_permission_is_asked_for_by_exactly_one_route() -> None:
    asked = [permission for route in ROUTES for permission in route.permissions]
    assert sorted(asked) == sorted(Permission)


def test_every_route_has_a_deadline(route: Route) -> None:
    assert 0 < route.deadline_seconds <= LONGEST_DEADLINE_SECONDS


def test_a_route_takes_a_key_exactly_if_its_request_names_one(method: MethodDescriptor, route: Route) -> None:
    names_a_key = any(field.name.endswith("key_id") for field in method.input_type.fields)
    assert (route.accepts is not Accepts.NO_KEY) == names_a_key


def test_every_rpc_has_a_client_method_with_its_exact_messages(method: MethodDescriptor) -> None:
    function = getattr(KeyManagementServiceClient, f"{snake(method.name)}_async")
    hints = typing.get_type_hints(function)
    assert hints["request"] == getattr(v1, method.input_type.name) | None
    assert hints["return"] == Task[getattr(v1, method.output_type.name)]
    assert inspect.getdoc(function)


def test_every_client_method_takes_a_token_a_deadline_and_each_member_by_name(
    method: MethodDescriptor,
) -> None:
    parameters = inspect.signature(
        getattr(KeyManagementServiceClient, f"{snake(method.name)}_async")
    ).parameters
    members = [field.name for field in method.input_type.fields]
    assert list(parameters) == ["self", "request", "cancellation_token", "timeout", *members]
    assert parameters["cancellation_token"].default is CancellationToken.none
    assert {parameters[name].kind for name in ("timeout", *members)} == {inspect.Parameter.KEYWORD_ONLY}
    assert {parameters[name].default for name in ("request", "timeout", *members)} == {None}


def test_the_client_has_no_operation_that_the_service_lacks() -> None:
    methods = {
        name.removesuffix("_async") for name in dir(KeyManagementServiceClient) if name.endswith("_async")
    }
    # What puts several operations together.
    assert methods - {"import_key"} == {snake(method.name) for method in METHODS}


@pytest.mark.parametrize("category", Category)
def test_every_category_has_a_grpc_status_of_its_own(category: Category) -> None:
    assert list(CODES.values()).count(CODES[category]) == 1


@pytest.mark.parametrize("error", SERVER_ERRORS, ids=lambda error: error.__name__)
def test_every_domain_error_arrives_at_the_client_as_its_twin(error: type[KmsError]) -> None:
    received = sent_and_received(error("why"))
    twin = getattr(client_errors, error.__name__)
    assert type(received) is twin
    assert issubclass(twin, client_errors.ServiceError)
    assert error.__name__ in keyferry_client.__all__
    assert received.name == error.__name__
    assert received.code is CODES[error.category]
    assert received.message == "why"
    assert received.request_id == "request-1"
    assert received.retryable is error.retryable


def test_the_violations_of_a_validation_exception_arrive_too() -> None:
    violations = (FieldViolation("keyId", "one"), FieldViolation("limit", "other"))
    received = sent_and_received(ValidationException("two", violations))
    assert [(one.field, one.description) for one in received.violations] == [
        ("keyId", "one"),
        ("limit", "other"),
    ]


def test_no_refusal_of_the_client_lacks_its_twin_in_the_server() -> None:
    of_client = {error.__name__ for error in leaves(client_errors.ServiceError)}
    assert of_client - {UNKNOWN_TO_THE_CLIENT.__name__} == {error.__name__ for error in SERVER_ERRORS}


def test_what_else_can_go_wrong_in_the_client_is_not_named_like_a_refusal() -> None:
    others = {
        error.__name__
        for error in leaves(client_errors.KeyferryError)
        if not issubclass(error, client_errors.ServiceError)
    }
    assert others
    assert {name for name in others if not name.endswith("Error")} == set()


@pytest.mark.parametrize("error", [*SERVER_ERRORS, *leaves(client_errors.KeyferryError)], ids=lambda error: f"{error.__module__}.{error.__name__}")  # fmt: skip
def test_every_error_says_when_it_is_raised(error: type[Exception]) -> None:
    assert error.__doc__


@pytest.mark.parametrize(
    "package", [v1, keyferry_client, keyferry_migrations], ids=lambda package: package.__name__
)
def test_the_public_face_of_a_package_is_its_all(package: ModuleType) -> None:
    public = {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public == set(package.__all__)
    assert len(package.__all__) == len(set(package.__all__))


def test_no_program_of_ours_takes_a_module_from_the_folder_it_is_started_in() -> None:
    started = [
        (path.name, re.findall(r"\"([^\"]*)\"|\w", source[start.end() :])[0])
        for package in PACKAGES
        for path in Path(inspect.getfile(package)).parent.rglob("*.py")
        for source in [path.read_text()]
        for start in re.finditer(r"[(\[]\s*sys\.executable\b", source)
    ]
    assert {name for name, _ in started} >= {"workers.py", "rsa_key_checks.py", "testing.py"}
    # -P: the folder is not on the path.
    assert [name for name, option in started if option != "-P"] == []
