"""AWS Rekognition DetectText, through boto3.

Which candidate and which confidence: Rekognition reports every text twice, as a LINE and as its WORDs;
only the WORDs are candidates. Its confidence of 0-100 is divided by 100.
"""

from __future__ import annotations

from typing import Any

from digitrec.answer import Answer
from digitrec.image import InputSpec
from digitrec.providers.aws_client import AwsProvider
from digitrec.providers.aws_errors import service
from digitrec.providers.base import Price

SERVICE = service("AWS Rekognition", "rekognition:DetectText")


class Aws(AwsProvider):
    """Reads text with AWS Rekognition."""

    name = "aws"
    sdk_name = "rekognition"
    service = SERVICE
    wants = InputSpec(encoding="png", min_side=200, max_side=4096, max_bytes=5_242_880, margin=0.1)
    price: Price | None = Price(
        0.001, "second-hand copy of aws.amazon.com/rekognition/pricing: $1.00 per 1,000; 2026-11"
    )
    rate = 5.0  # the lowest of the regions' defaults that AWS has published

    @staticmethod
    def _ask(client: Any, data: bytes) -> Any:
        return client.detect_text(Image={"Bytes": data})

    @staticmethod
    def _parse(raw: Any) -> Answer:
        return parse(raw)


def parse(raw: Any) -> Answer:
    """The body of a DetectText answer: any JSON value.

    Raises:
        BadAnswer: it is none.
    """
    from digitrec.providers import aws_answer

    return aws_answer.parse(raw, SERVICE)
