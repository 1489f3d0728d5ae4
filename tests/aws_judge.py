"""AWS's model of the service as a judge of every answer that boto3 gets."""

import json
from typing import Any

from botocore.model import OperationModel, Shape, StructureShape
from botocore.validate import ParamValidator

_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "timestamp": (int, float),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}


def judge(model: OperationModel, http_response: Any, parsed: dict[str, Any], **_: Any) -> None:
    """Fail unless an answer has the status, the members, the types and the values that AWS's model has for it."""
    headers = http_response.headers
    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    assert parsed["ResponseMetadata"]["RequestId"] == headers["x-amzn-RequestId"]
    body = json.loads(http_response.content or b"{}")
    if http_response.status_code != 200:
        assert http_response.status_code in {400, 500}
        assert set(body) <= {"__type", "message", "Message"}
        assert parsed["Error"]["Code"] == body["__type"]
        return
    if model.output_shape is None:
        assert body == {}
        return
    assert list(differences(body, model.output_shape, model.name)) == []
    answered = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    report = ParamValidator().validate(answered, model.output_shape)
    assert not report.has_errors(), report.generate_report()


def differences(value: Any, shape: Shape, path: str) -> list[str]:
    """Return every way in which a JSON value is not of a shape."""
    shapes: Any = shape
    if not isinstance(value, _JSON_TYPES[shape.type_name]) or (
        isinstance(value, bool) and shape.type_name != "boolean"
    ):
        return [f"{path}: {type(value).__name__} is no {shape.type_name}"]
    if isinstance(shape, StructureShape):
        unknown = [f"{path}.{name}: no such member" for name in set(value) - set(shape.members)]
        known = [(name, content) for name, content in value.items() if name in shape.members]
        return unknown + [
            one
            for name, content in known
            for one in differences(content, shape.members[name], f"{path}.{name}")
        ]
    if shape.type_name == "list":
        return [one for entry in value for one in differences(entry, shapes.member, f"{path}[]")]
    if shape.type_name == "map":
        return [one for entry in value.values() for one in differences(entry, shapes.value, f"{path}{{}}")]
    if shape.type_name == "string" and shapes.enum and value not in shapes.enum:
        return [f"{path}: {value} is no value of the enumeration"]
    return []
