"""Of the pages on engines, their prices and what a paid answer goes through."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from digitrec import wire
from digitrec.answer import DEEPEST
from digitrec.benchmark import measures, pairs, recommend
from digitrec.calibration import fit
from digitrec.comparison import UNSURE
from digitrec.emulator.vendors import google as emulated_google
from digitrec.engine import Options, retry
from digitrec.engine.owner import SILENT_S
from digitrec.engine.terms import LEASE_MARGIN_S
from digitrec.ledger.book import CLOCK_STEP_S
from digitrec.providers import azure_identity, google, openai
from digitrec.providers.base import FREE
from digitrec.providers.plugins import GROUP
from digitrec.report.benchmark_tables import MOST_PICTURES

ASK = Options()
WORDS = ("nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
AZURE_DOCUMENT = import_module("digitrec.providers.azure_document")


SAID_BY_VENDORS = [
    "Azure's free tier allows 20 calls *a minute*",  # [4] of Azure's sources on the page
    "(F0) allows one analysis and one look *a second*, 500 pages a month",  # [5]
    "Microsoft keeps picture and result up to 24 hours",  # [6]
    "keeps it up to 30 days to look for abuse",  # [4] of OpenAI's
]
"""Figures that the page says twice; beside the first stands the number of their source."""


def engine(module: str, name: str) -> Any:
    """An engine's class."""
    return getattr(import_module(f"digitrec.providers.{module}"), name)


GOOGLE, AWS, TEXTRACT = (
    engine("google", "Google"),
    engine("aws", "Aws"),
    engine("aws_textract", "AwsTextract"),
)
AZURE, ANALYSIS = engine("azure", "Azure"), engine("azure_analysis", "AzureAnalysis")
DOCUMENT, OPENAI = engine("azure_document", "AzureDocument"), engine("openai", "OpenAi")
TESSERACT, RAPIDOCR = engine("tesseract", "Tesseract"), engine("rapidocr", "RapidOcr")
NAMED = {
    "google": GOOGLE, "aws": AWS, "aws-textract": TEXTRACT, "azure": AZURE, "azure-analysis": ANALYSIS,
    "azure-document": DOCUMENT,
}  # fmt: skip


def price(provider: Any) -> str:
    """Of a thousand, as the table has it."""
    return "unknown until you set it" if provider.price is None else f"${1000 * provider.price.usd:.2f}"


def sent(provider: Any, least: str = "", most: str = "") -> str:
    """The cells of the table of what an engine is sent."""
    wants = provider.wants
    size = "-" if provider.price is FREE else f"{wants.max_bytes // 1_000_000} MB"
    return f"| {wants.min_side} px{least} | {wants.max_side:,} px{most} | {size}"


CLAIMS = {
    "docs/providers.md": [
        f"| `google` | Google Cloud Vision | `pip install '.[google]'` | {price(GOOGLE)} after 1,000 free a month "
        f"| {GOOGLE.rate:g} a second |",
        f"| `aws` | AWS Rekognition DetectText | `pip install '.[aws]'` | {price(AWS)} (second-hand figure) "
        f"| {AWS.rate:g} a second |",
        f"`pip install '.[aws]'` | {price(TEXTRACT)} (second-hand figure, 2022 to 2025) "
        f"| {TEXTRACT.rate:g} a second |",
        *(f" | {price(one)} | {one.rate:g} a second |" for one in (AZURE, ANALYSIS, DOCUMENT)),
        "| name | what it is | install | price of 1,000 images |",
        f"the lower where there are two, and {AWS.rate:g} for AWS's services",
        f"enlarged to at least {GOOGLE.wants.min_side} pixels",
        f"| `google` {sent(GOOGLE)} a request (Google: {emulated_google.MAX_REQUEST_BYTES >> 20} MB of JSON) |",
        f"| `aws` {sent(AWS, ' (AWS: 80)')} |",
        f"| `aws-textract` {sent(TEXTRACT, ' (AWS names none; a character should have 15)')} |",
        f"| `azure` {sent(AZURE, ' (Azure: 50)')} (the free tier's limit) |",
        f"| `azure-analysis` {sent(ANALYSIS, ' (Azure: 50)')} |",
        f"| `azure-document` {sent(DOCUMENT, ' (Azure: 50)')} (the free tier's limit) |",
        f"| `openai` {sent(OPENAI, '', ' (what `detail: low` looks at)')} |",
        f"| `tesseract` {sent(TESSERACT)} |",
        f"| `rapidocr` {sent(RAPIDOCR)} |",
        f"the same ink {WORDS[TESSERACT.wants.repeat]} times in a row",
        f"**An answer is read up to {wire.MOST_BYTES // 1_000_000} MB**",
        f"at most {DEEPEST} levels deep",
        f"until {WORDS[azure_identity.EARLY_S // 60]} minutes before its end",
        f"over REST, {GOOGLE.batch} images a request",
        "polls its operation once a second",
        f"API version {AZURE_DOCUMENT.API_VERSION};",
        *SAID_BY_VENDORS,
        f"({openai.QUESTION_TOKENS:,} tokens of question, {openai.MOST_TOKENS:,} of answer)",
    ],
    "docs/ledger.md": [
        f"The claim ends {WORDS[int(LEASE_MARGIN_S)]} seconds after the call's own timeout "
        f"(`Options.attempt_timeout`, {ASK.attempt_timeout:g} s)",
        f"in the future (by more than {WORDS[int(CLOCK_STEP_S)]} seconds) is void",
        f"At most `Options.attempts` ({ASK.attempts}) within `Options.timeout` ({ASK.timeout:g} s), each attempt at "
        f"most `Options.attempt_timeout` ({ASK.attempt_timeout:g} s).",
        f"between 0 and {retry.FIRST_WAIT_S:g} s, doubling up to {retry.LONGEST_WAIT_S:g} s",
        *(f"| {name} | {one.rate:g} |" for name, one in NAMED.items()),
        f"| google | {GOOGLE.rate:g} | {60 * GOOGLE.rate:,.0f} a minute |",
        f"a wait of up to {ASK.attempt_timeout + LEASE_MARGIN_S:g} s for the few calls",
        f"azure = {20 / 60:.2f}",
        "so 24 images take two and a half minutes",
    ],
    "docs/batch.md": [f"in any of its attempts, {ASK.timeout:g} s by default"],
    "docs/comparing.md": [
        f"with Wilson's {measures.CONFIDENCE_LEVEL:.0%} interval",
        f"over {WORDS[measures.BINS]} bins",
        f"for all tested pairs; below {pairs.SIGNIFICANCE} |",
        f"can show, {MOST_PICTURES} are drawn by chance",
        f"it takes {fit.FEWEST} answers, {fit.FEWEST_OF_A_KIND} of them right and {fit.FEWEST_OF_A_KIND} wrong at least",
        f"unseen {('', '', 'halves', 'thirds', 'fourths', 'fifths')[fit.FOLDS]} of the data",
        f"each pair as a fallback at {WORDS[len(recommend.THRESHOLDS)]} thresholds",
        f"else {UNSURE}.",
    ],
    "docs/library.md": [
        f"`Options.concurrency` ({ASK.concurrency})",
    ],
    "docs/adr/0013-one-owner-of-rate-and-money.md": [f"is closed after {SILENT_S:g} s"],
    "ADDING_A_PROVIDER.md": [f"the entry point in the group `{GROUP}`"],
}
assert google.Google is GOOGLE
assert all(one.price is None for one in (AZURE, ANALYSIS, DOCUMENT, OPENAI))
