"""AWS Textract DetectDocumentText, through boto3: AWS's own service for handwriting and print on documents.

Which candidate and which confidence: Textract reports every text twice, as a LINE and as its WORDs; only the
WORDs are candidates. Its confidence of 0-100 is divided by 100. Whether a word is handwritten or printed
(``TextType``) stands in ``raw``.
"""

from __future__ import annotations

from typing import Any

from digitrec.answer import Answer
from digitrec.image import InputSpec
from digitrec.providers.aws_client import AwsProvider
from digitrec.providers.aws_errors import service
from digitrec.providers.base import Price

SERVICE = service("AWS Textract", "textract:DetectDocumentText")


class AwsTextract(AwsProvider):
    """Reads text with AWS Textract."""

    name = "aws-textract"
    sdk_name = "textract"
    service = SERVICE
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=10_000_000, margin=0.1)
    price: Price | None = Price(
        0.0015, "second-hand (2022 to 2025) from aws.amazon.com/textract/pricing: $1.50 per 1,000; 2026-11"
    )
    rate = 5.0  # a careful guess: the default differs by region and account

    @staticmethod
    def _ask(client: Any, data: bytes) -> Any:
        return client.detect_document_text(Document={"Bytes": data})

    @staticmethod
    def _parse(raw: Any) -> Answer:
        return parse(raw)


def parse(raw: Any) -> Answer:
    """The body of a DetectDocumentText answer: any JSON value.

    Raises:
        BadAnswer: it is none.
    """
    from digitrec.providers import aws_textract_answer

    return aws_textract_answer.parse(raw, SERVICE)
