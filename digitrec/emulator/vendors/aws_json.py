"""What AWS's services answer alike: the JSON 1.1 protocol, its errors, a place on a picture."""

from __future__ import annotations

import base64
import json
import uuid
from abc import abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from digitrec.emulator.picture import Box, Picture
from digitrec.emulator.vendors.aws_signature import AwsError, verify
from digitrec.emulator.vendors.base import Refused, Request, Response, Vendor
from digitrec.errors import ImageError

MEDIA_TYPE = "application/x-amz-json-1.1"


class AwsVendor(Vendor):
    """A service of AWS that answers one operation."""

    service: ClassVar[str]
    """What requests are signed for, such as "rekognition"."""
    operation: ClassVar[str]
    """The header X-Amz-Target that asks for the operation."""
    formats: ClassVar[tuple[str, ...]]
    """Formats of pictures that the service takes."""
    max_bytes: ClassVar[int]
    """Largest picture that the service takes."""

    @classmethod
    def environment(cls, endpoint: str) -> dict[str, str]:
        """As AWS's SDK reads them."""
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}  # nosec B105 # no account's
        return {
            f"AWS_ENDPOINT_URL_{cls.service.upper()}": endpoint,
            **keys,
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def read(self, request: Request) -> Response:
        """The answer to a request that is signed, and whose body is the operation's input."""
        if request.method != "POST" or request.headers.get("x-amz-target") != self.operation:
            return error("UnknownOperationException", "")
        try:
            verify(request, self.credentials.aws_keys, self.service)
            asked = self._parsed(json.loads(request.body))
        except AwsError as refused:
            return error(refused.code, str(refused))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return error("SerializationException", "")
        return self._answered(asked)

    @abstractmethod
    def _parsed(self, asked: Any) -> Any:
        """What `_answered` takes, from the operation's input.

        Raises:
            AwsError: AWS would refuse it.
            ValueError, KeyError, TypeError, AttributeError: it is not of the operation's form.
        """

    @abstractmethod
    def _answered(self, asked: Any) -> Response:
        """The operation's answer."""

    def picture(self, content: bytes | None) -> Picture:
        """The picture in a request; None: it stands in S3.

        Raises:
            Refused: it is in S3, damaged, too large, or of a format that the service does not take.
        """
        if content is None:
            raise Refused(self.failures["no S3"]())
        if len(content) > self.max_bytes:
            raise Refused(self.failures["too large"]())
        try:
            picture = Picture.decode(content)
        except ImageError:
            raise Refused(self.failures["bad image"]()) from None
        if picture.format not in self.formats:
            raise Refused(self.failures["bad image"]())
        return picture

    def throttled(self, wait_s: int) -> Response:
        """AWS's refusal of what is over an account's rate; it does not say how long to wait."""
        return self.failures["limit"]()

    def common_headers(self) -> dict[str, str]:
        """The number of the request."""
        return {"x-amzn-RequestId": str(uuid.uuid4())}


def error(code: str, message: str, http: int = 400) -> Response:
    """An error in AWS's form.

    Args:
        code: the exception's name; what an SDK goes by.
        message: AWS's sentence.
        http: HTTP status.
    """
    body = {"__type": code, "Code": code, "Logref": str(uuid.uuid4()), "Message": message}
    return response(http, body)


def response(http: int, body: dict[str, Any], billed: int = 0) -> Response:
    """A response in AWS's form."""
    return Response.of_json(http, body, media_type=MEDIA_TYPE, billed=billed)


def failures(permission: str) -> dict[str, Callable[[], Response]]:
    """The errors that all services have alike; ``permission`` is what the operation needs."""
    denied = f"User: arn:aws:iam::123456789012:user/test is not authorized to perform: {permission}"
    bad_key = "The security token included in the request is invalid."
    no_s3 = "Unable to get object metadata from S3. Check object key, region and/or access permissions."
    not_found = "The resource specified in the request cannot be found."
    unavailable = "Service is unavailable. Try again shortly."
    return {
        "no S3": partial(error, "InvalidS3ObjectException", no_s3),
        "400": partial(error, "InvalidParameterException", "Request has invalid parameters"),
        "401": partial(error, "UnrecognizedClientException", bad_key),
        "403": partial(error, "AccessDeniedException", denied),
        "404": partial(error, "ResourceNotFoundException", not_found),
        "429": partial(error, "ThrottlingException", "Rate exceeded"),
        "limit": partial(error, "ProvisionedThroughputExceededException", "Provisioned rate exceeded"),
        "500": partial(error, "InternalServerError", "Internal server error", 500),
        "502": partial(Response.of_html, 502, "502 Bad Gateway"),
        "503": partial(error, "ServiceUnavailableException", unavailable, 503),
        "504": partial(Response.of_html, 504, "504 Gateway Time-out"),
    }


def image_bytes(image: Any) -> bytes | None:
    """The bytes of an image or a document, None where it stands in S3.

    Raises:
        ValueError, TypeError: it is neither.
    """
    return base64.b64decode(image["Bytes"], validate=True) if "Bytes" in image else None


def geometry(box: Box, picture: Picture) -> dict[str, Any]:
    """The box as shares of the picture's width and height."""
    left, right = box[0] / picture.width, box[2] / picture.width
    top, bottom = box[1] / picture.height, box[3] / picture.height
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return {
        "BoundingBox": {"Left": left, "Top": top, "Width": right - left, "Height": bottom - top},
        "Polygon": [{"X": x, "Y": y} for x, y in corners],
    }
