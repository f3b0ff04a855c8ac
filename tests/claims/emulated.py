"""Of the page on the emulator: its limits are the vendors' documented ones."""

from __future__ import annotations

from digitrec.emulator import faults
from digitrec.emulator.vendors import (
    aws,
    aws_filters,
    aws_signature,
    aws_textract,
    azure,
    azure_analysis,
    azure_document,
    azure_operation,
    google,
    openai,
)

WORDS = ("nought", "one", "two", "three", "four", "five")
MIB = 1 << 20


def formats(vendor: object) -> str:
    """As the table has them."""
    return ", ".join(vendor.FORMATS)  # type: ignore[attr-defined]


def hours(seconds: float) -> str:
    """Whole hours."""
    return f"{seconds / 3600:g}"


CLAIMS = {
    "docs/emulator.md": [
        f"| {formats(aws)} | {formats(aws_textract)} | {formats(azure)} | {formats(azure_analysis)} | {formats(openai)} |",
        f"| bytes | {google.MAX_REQUEST_BYTES // MIB} MB of JSON | {aws.MAX_BYTES:,} | {aws_textract.MAX_BYTES // MIB} MB "
        f"| {azure.MAX_BYTES // MIB} MB (the free tier) | below {azure_analysis.MAX_BYTES // MIB} MB "
        f"| {openai.MAX_BYTES // MIB} MB |",
        f"| width, height | any | from {aws.MIN_SIDE} px | to {aws_textract.MAX_SIDE:,} px | {azure.MIN_SIDE} to "
        f"{azure.MAX_SIDE:,} px | above {azure_analysis.MIN_SIDE}, below {azure_analysis.MAX_SIDE:,} px | any |",
        f"| images a request | {google.MAX_IMAGES} | 1 |",
        f"over {aws.MAX_BYTES // MIB} MB ValidationException | BadDocumentException; over "
        f"{aws_textract.MAX_BYTES // MIB} MB DocumentTooLargeException |",
        f"is done at its {('first', 'second', 'third')[len(azure_operation.STEPS)]} poll, or after "
        f"{WORDS[int(azure_operation.DONE_AFTER_S)]} second; it is forgotten after {hours(azure.KEPT_S)} hours (404; "
        f"Document Intelligence: 24), or when {azure_operation.KEPT:,} newer ones have come",
        f"`MinConfidence` is {aws_filters.DEFAULT_CONFIDENCE:g} where a `WordFilter` names none",
        f"more than {aws_filters.MAX_REGIONS} regions or points",
        f"else `other`, confidence {azure.STYLE_CONFIDENCE}",
        f"`api-version={azure_document.API_VERSION}`",
        f"says `isHandwritten`, confidence {azure_document.STYLE_CONFIDENCE}.",
        f"(a data URL; {formats(openai)}; {openai.MAX_BYTES // MIB} MB)",
        f"with {WORDS[int(aws_signature.MAX_SKEW.total_seconds()) // 60]} minutes' tolerance for the clock",
        "`503:first=2` then `429:first=1` is two 503s, one 429, and then good answers.",
        f"`status=307` (or {', '.join(str(one) for one in faults.REDIRECTS if one != 307)}) to another address: `to=URL`, "
        f"which comes last (`{faults.NOWHERE}`)",
        f"`{'`, `'.join(faults.SPOKEN[:1])}`, `length` (cut off), `filtered`, `fenced` (in Markdown), `no-logprobs`, "
        f"`no-usage`.",
        *(f"| `{kind}` |" for kind in faults.DOCUMENTS),
    ],
}
assert azure_document.MIN_SIDE == azure.MIN_SIDE
assert azure_document.MAX_SIDE == azure.MAX_SIDE
assert azure_document.MAX_BYTES == azure.MAX_BYTES
assert azure_document.FORMATS == azure.FORMATS
assert aws_filters.MAX_POINTS == aws_filters.MAX_REGIONS
