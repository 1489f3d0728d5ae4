"""A signed request of AWS's JSON 1.1 protocol as bytes, headers included; botocore signs it, as for AWS's own clients."""

import json
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def signed_request(address: str, operation: str, body: dict[str, Any], access_key: tuple[str, str]) -> bytes:
    """Return the request; its signature is valid for five minutes."""
    content = json.dumps(body).encode()
    headers = {
        "Host": address,
        "Content-Type": "application/x-amz-json-1.1",
        "Content-Length": str(len(content)),
        "X-Amz-Target": f"TrentService.{operation}",
    }
    request = AWSRequest("POST", f"http://{address}/", headers, content)
    SigV4Auth(Credentials(*access_key), "kms", "us-east-1").add_auth(request)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join(["POST / HTTP/1.1", *lines, "", ""]).encode() + content
