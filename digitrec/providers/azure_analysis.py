"""Azure Image Analysis 4.0, through azure-ai-vision-imageanalysis: one synchronous call.

Azure retires it on 25 September 2028 and points to Document Intelligence.

Which candidate and which confidence: each word is a candidate; its confidence is 0..1 already.
"""

from __future__ import annotations

from typing import Any

from digitrec.answer import Answer
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.azure_identity import Identity
from digitrec.providers.azure_resource import AzureProvider, service, settings
from digitrec.providers.base import not_installed

SERVICE = service("Azure Image Analysis")


class AzureAnalysis(AzureProvider):
    """Reads text with Azure Image Analysis 4.0."""

    name = "azure-analysis"
    notice = "Microsoft ends it on 2028-09-25, and points to Document Intelligence (azure-document)"
    package = "azure.ai.vision.imageanalysis"
    service = SERVICE
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=20_000_000, margin=0.1)
    rate = 20.0  # the lower of the two figures in Azure's documentation

    @staticmethod
    def _open(endpoint: str, who: str | Identity) -> Any:
        try:
            from azure.ai.vision.imageanalysis import ImageAnalysisClient

            return ImageAnalysisClient(endpoint, **settings(who))
        except ImportError as error:
            raise not_installed("Azure Image Analysis", "azure") from error

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Ask once."""

        def call() -> None:
            self._client.analyze(
                image_data=image.data,
                visual_features=["read"],
                retry_total=0,
                connection_timeout=timeout,
                read_timeout=timeout,
            )

        reply = self._ask(call, timeout=timeout)
        return parse(self._wire.document(reply))


def parse(raw: Any) -> Answer:
    """An ImageAnalysisResult: any JSON value.

    Raises:
        BadAnswer: it is none.
    """
    from digitrec.providers import azure_analysis_answer

    return azure_analysis_answer.parse(raw, SERVICE)
