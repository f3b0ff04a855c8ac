"""The seven vendors' own SDKs against the emulator, with no digitrec provider in between."""

import pytest
import requests

from digitrec.emulator import Emulator, Word

from ..clients import ASK, BELOW, FORTY_TWO, HEADERS, READ, SEVEN, TIMEOUT, boto, code, heavy, picture, reads

MB = 1024 * 1024
CLOUDS = list(ASK)
DOCUMENT = "/documentintelligence/documentModels/prebuilt-read:analyze?api-version=2024-11-30"
POLLED = {"azure": "/vision/v3.2/read/analyze", "azure-document": DOCUMENT}


@pytest.fixture(scope="module")
def everybody():
    """All vendors, whose engine reads a 7."""
    with Emulator(engine=reads(SEVEN)) as running:
        yield running


@pytest.mark.parametrize("cloud", [cloud for cloud in CLOUDS if cloud != "openai"])
def test_words_with_confidences(digitrec_emulator, cloud):
    emulator = digitrec_emulator([cloud], engine=reads(SEVEN, FORTY_TWO, BELOW))
    said = ASK[cloud](emulator.endpoints[cloud], picture((200, 300)), "")
    assert said.lines == ["7 42", "8"]
    assert [text for text, _ in said.words] == ["7", "42", "8"]
    assert [confidence for _, confidence in said.words] == pytest.approx([0.93, 0.5, 0.25])
    assert said.model == "emulated-function"
    counts = emulator.counts(cloud)
    assert (counts.calls, counts.billed, counts.polls) == (1, 1, 3 if cloud in POLLED else 0)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_image_without_text_gets_the_empty_answer(digitrec_emulator, cloud):
    said = ASK[cloud](digitrec_emulator([cloud], engine=reads()).endpoints[cloud], picture(), "")
    assert (said.lines, said.words) == ([], [])


@pytest.mark.parametrize(("cloud", "content", "refused"), [
    ("google", b"no picture", "3"), ("google", heavy(8_000_000), "INVALID_ARGUMENT"),
    ("aws", picture((79, 200)), "InvalidParameterException"),
    ("aws", picture()[:100], "InvalidImageFormatException"),
    ("aws", heavy(5 * MB + 1), "ValidationException"),
    ("aws-textract", picture(form="GIF"), "UnsupportedDocumentException"),
    ("aws-textract", heavy(10 * MB + 1), "DocumentTooLargeException"),
    ("aws-textract", picture((10_001, 20)), "BadDocumentException"),
    ("azure", picture((49, 200)), "InvalidImageSize"), ("azure", heavy(4 * MB + 1), "InvalidImageSize"),
    ("azure", picture(form="WEBP"), "InvalidImageFormat"),
    ("azure-analysis", picture((16_000, 60)), "InvalidImageSize"),
    ("azure-document", picture((49, 200)), "InvalidContentDimensions"),
    ("openai", picture(form="BMP"), "invalid_image_format"),
], ids=lambda value: str(len(value)) if isinstance(value, bytes) else value)  # fmt: skip
def test_pictures_that_a_vendor_refuses(everybody, cloud, content, refused):
    before = everybody.counts(cloud).billed
    with pytest.raises(Exception) as caught:
        ASK[cloud](everybody.endpoints[cloud], content, "")
    assert code(caught.value) == refused
    assert everybody.counts(cloud).billed == before


@pytest.mark.parametrize(("cloud", "content"), [
    ("google", picture(form="GIF")), ("aws", picture((80, 80))), ("aws", heavy(5 * MB)),
    ("azure", picture((50, 50))), ("azure-analysis", picture((51, 51), "WEBP")),
    ("azure-document", picture(form="BMP")), ("openai", picture(form="WEBP")),
], ids=lambda value: str(len(value)) if isinstance(value, bytes) else value)  # fmt: skip
def test_pictures_just_within_the_limits(everybody, cloud, content):
    assert ASK[cloud](everybody.endpoints[cloud], content, "").lines == ["7"]


@pytest.mark.parametrize(("cloud", "wrong", "refused"), [
    ("google", "wrong", "API_KEY_INVALID"), ("google", "", "PERMISSION_DENIED"),
    ("aws", "wrong:secret", "UnrecognizedClientException"),
    ("aws-textract", "wrong:secret", "UnrecognizedClientException"),
    *[(cloud, "wrong", "401") for cloud in ("azure", "azure-analysis", "azure-document")],
    ("openai", "wrong", "invalid_api_key"),
])  # fmt: skip
def test_keys(digitrec_emulator, cloud, wrong, refused):
    endpoint = digitrec_emulator([cloud], engine=reads(SEVEN), keys={"right"}).endpoints[cloud]
    right = "right:secret" if cloud.startswith("aws") else "right"
    assert ASK[cloud](endpoint, picture(), right).lines == ["7"]
    with pytest.raises(Exception) as caught:
        ASK[cloud](endpoint, picture(), wrong)
    assert code(caught.value) == refused


@pytest.mark.parametrize("body", [b"no json", b"5", b"{}", b'{"Image": 5, "Document": 5}',
                                  b'{"Image": {"Bytes": "~"}, "Document": {"Bytes": "~"}}'])  # fmt: skip
@pytest.mark.parametrize(("cloud", "target"), [
    ("aws", "RekognitionService.DetectText"), ("aws-textract", "Textract.DetectDocumentText"),
])  # fmt: skip
def test_a_malformed_request_to_aws(everybody, cloud, target, body):
    headers = {"X-Amz-Target": target, "Authorization": "AWS4-HMAC-SHA256 Credential=test/x"}
    answer = requests.post(everybody.endpoints[cloud], body, headers=headers, timeout=TIMEOUT)
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")


def test_no_more_than_a_hundred_words_come_from_rekognition(digitrec_emulator):
    many = [Word(str(n), 1.0, (n, 0, n + 1, 10)) for n in range(150)]
    endpoint = digitrec_emulator(["aws"], engine=reads(*many)).endpoints["aws"]
    assert len(ASK["aws"](endpoint, picture(), "").words) == 100


def test_lines_and_words_of_aws_name_each_other(digitrec_emulator):
    emulator = digitrec_emulator(["aws", "aws-textract"], engine=reads(SEVEN, FORTY_TWO, BELOW))
    with boto("rekognition", emulator.endpoints["aws"], "test:test") as client:
        found = client.detect_text(Image={"Bytes": picture((200, 300))})["TextDetections"]
    assert {one["Id"]: one.get("ParentId") for one in found} == {0: None, 1: None, 2: 0, 3: 0, 4: 1}
    with boto("textract", emulator.endpoints["aws-textract"], "test:test") as client:
        page, *texts = client.detect_document_text(Document={"Bytes": picture((200, 300))})["Blocks"]
    within = [one["Relationships"][0]["Ids"] for one in (page, *texts[:2])]
    assert within == [[texts[0]["Id"], texts[1]["Id"]], [texts[2]["Id"], texts[3]["Id"]], [texts[4]["Id"]]]


@pytest.mark.parametrize("cloud", POLLED)
def test_an_operation_succeeds_at_its_third_poll(everybody, cloud):
    url = everybody.endpoints[cloud] + POLLED[cloud]
    location = requests.post(url, picture(), headers=HEADERS, timeout=TIMEOUT).headers["Operation-Location"]
    polls = [requests.get(location, headers=HEADERS, timeout=TIMEOUT) for _ in range(4)]
    assert [poll.json()["status"] for poll in polls] == ["notStarted", "running", "succeeded", "succeeded"]
    assert requests.get(location, timeout=TIMEOUT).status_code == 401  # every poll needs the key


@pytest.mark.parametrize(("cloud", "path", "status", "refused"), [
    ("azure", "/vision/v3.2/read/analyzeResults/unknown", 404, "404"),
    ("azure-analysis", READ.partition("?")[0], 400, "BadRequest"),
    ("azure-analysis", READ.replace("2023-10-01", "2020-01-01"), 400, "BadRequest"),
    ("azure-analysis", READ + ",caption", 400, "NotSupportedVisualFeature"),
    ("azure-analysis", READ.replace("=read", "="), 400, "NotSupportedVisualFeature"),
    ("azure-document", POLLED["azure-document"].replace("read", "invoice"), 404, "404"),
    ("azure-document", POLLED["azure-document"] + "-old", 400, "InvalidParameter"),
])  # fmt: skip
def test_requests_that_azure_refuses(everybody, cloud, path, status, refused):
    answer = requests.post(everybody.endpoints[cloud] + path, picture(), headers=HEADERS, timeout=TIMEOUT)
    error = answer.json()["error"]
    assert (answer.status_code, error.get("innererror", error)["code"]) == (status, refused)


def test_all_services_of_an_azure_resource_answer_at_one_address(digitrec_emulator):
    services = ["azure", "azure-analysis", "azure-document"]
    emulator = digitrec_emulator(services, engine=reads(SEVEN))
    emulator.set_faults("azure-analysis", "429:skip=1")
    endpoint = emulator.endpoints["azure"]
    assert [ASK[service](endpoint, picture(), "").lines for service in services] == [["7"]] * 3
    assert [emulator.calls(service) for service in services] == [1, 1, 1]
    with pytest.raises(Exception) as caught:
        ASK["azure-analysis"](endpoint, picture(), "")
    assert code(caught.value) == "429"
    assert ASK["azure"](endpoint, picture(), "").lines == ["7"]
