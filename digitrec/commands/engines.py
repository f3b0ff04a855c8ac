"""The engines that a command asks, as its options describe them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitrec.commands import options, values
from digitrec.commands.cost import Unopened
from digitrec.commands.files import LEDGERS, Input, Output
from digitrec.commands.progress import quietly
from digitrec.engine import Engine
from digitrec.engine import Options as EngineOptions
from digitrec.errors import NotConfigured, NotInstalled
from digitrec.image import InputSpec
from digitrec.image.files import silence_at_most
from digitrec.prepare import PREPARATIONS
from digitrec.providers import registry
from digitrec.providers.base import FREE, Provider

if TYPE_CHECKING:
    from digitrec.comparison.policy import EnginePolicy

REAL_KEYS = (
    "GOOGLE_", "AWS_", "VISION_", "AZURE_", "COMPUTER_VISION_", "DOCUMENTINTELLIGENCE_", "OPENAI_",
    "DIGITREC_OPENAI_PRESET",
)  # fmt: skip
"""Variables with these beginnings hold real credentials, which an emulator has no business with."""
EMULATED = ("google", "aws", "aws-textract", "azure", "azure-analysis", "azure-document", "openai")
"""The providers that the emulator can stand in for."""


def _preparations(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str]:
    """Names of preparations with commas between, all of them known."""
    chosen = options.names(ctx, param, value)
    for name in chosen:
        if name not in PREPARATIONS:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(PREPARATIONS)}.", ctx, param)
    return chosen


@dataclass(frozen=True, slots=True)
class Asking:
    """How the engines of a command are asked: `asking_options`, together."""

    model: Path | None
    model_scale: str | None
    prepare: list[str]
    timeout: float
    attempt_timeout: float | None
    max_cost: float | None
    ledger: Path | None
    no_ledger: bool
    record: Path | None
    replay: Path | None
    emulate: bool

    @contextmanager
    def engines(
        self, providers: Sequence[str], options: EngineOptions | None = None, *, dry_run: bool = False
    ) -> Iterator[list[Engine]]:
        """Yield the engines of these names, closed at the end; their budget is one.

        Args:
            providers: the names.
            options: those of an earlier command (`options`).
            dry_run: also yield engines without credentials, which can only estimate.

        Raises:
            click.UsageError: options that do not fit these engines.
            DigitrecError: an engine that cannot be asked at all.
        """
        with self.opener(providers, options, dry_run=dry_run) as open_engine:
            preparation = self.one_preparation()
            yield [open_engine(name, preparation) for name in providers]

    @contextmanager
    def columns(self, providers: Sequence[str], *, dry_run: bool = False) -> Iterator[dict[str, Engine]]:
        """As `engines`, by name, and each engine once for every preparation where there are several."""
        with self.opener(providers, dry_run=dry_run) as open_engine:
            columns: dict[str, Engine] = {}
            preparations: Sequence[str | None] = self.prepare or [None]
            for name in providers:
                for preparation in preparations:
                    engine = open_engine(name, preparation)
                    if len(self.prepare) < 2 or engine.provider.wants.encoding == "mnist":
                        columns[name] = engine
                        break
                    columns[f"{name}/{preparation}"] = engine
            yield columns

    def settings(self) -> dict[str, str]:
        """Return the settings that a report names."""
        model = {} if self.model is None else {"model of local": self.model.name}
        replay = {} if self.replay is None else {"answers": f"replayed from {self.replay.name}"}
        return {
            "preparation": ", ".join(self.prepare) or "each engine's own",
            "timeout": f"{self.timeout:g} s for one picture",
            **model,
            **replay,
        }

    @contextmanager
    def opener(
        self, providers: Sequence[str], options: EngineOptions | None = None, *, dry_run: bool = False
    ) -> Iterator[Callable[[str, str | None], Engine]]:
        """Yield what opens the engine of a name with a preparation; all are closed at the end."""
        self._check(providers)
        with ExitStack() as stack:
            stack.enter_context(silence_at_most(self.timeout))
            env = stack.enter_context(_emulated(providers)) if self.emulate else os.environ
            chosen = options or self.options()

            def open_engine(name: str, preparation: str | None) -> Engine:
                try:
                    with quietly():
                        engine = self._engine(name, env, chosen, preparation)
                except (NotConfigured, NotInstalled):
                    if not dry_run:
                        raise
                    engine = _prepared_for(Unopened(name, chosen), preparation)
                stack.callback(engine.close)
                return engine

            yield open_engine

    def one_preparation(self) -> str | None:
        """Return the requested preparation; None: the engine's own.

        Raises:
            click.UsageError: there are several.
        """
        if len(self.prepare) > 1:
            raise click.UsageError("several preparations at once are for `digitrec benchmark`.")
        return self.prepare[0] if self.prepare else None

    def for_numbers(
        self, how: Mapping[str, Any], numbers: bool, digits: tuple[int, int] | None
    ) -> dict[str, Any]:
        """Return the options of `digitrec.read_stream` with ``numbers``, else those of `digitrec.stream`.

        Raises:
            click.UsageError: `check_plain`, or the number of digits is given without ``numbers``.
        """
        if numbers:
            self.check_plain()
            return {**how, "digits": digits}
        if digits is not None:
            raise click.UsageError("--digits goes with --numbers.")
        return dict(how)

    def check_plain(self) -> None:
        """Check the preparation for whole numbers.

        Raises:
            click.UsageError: it is not plain.
        """
        if self.prepare not in ([], ["plain"]):
            raise click.UsageError(f"--prepare must be plain to read numbers, not {', '.join(self.prepare)}.")

    def _check(self, providers: Sequence[str]) -> None:
        if self.model is not None and "local" not in providers:
            raise click.UsageError(f"--model is for the local engine, not for {', '.join(providers)}.")
        if self.model_scale is not None and self.model is None:
            raise click.UsageError("--model-scale goes with --model.")
        if self.emulate and not set(providers) & set(EMULATED):
            raise click.UsageError(
                f"--emulate stands in for {', '.join(EMULATED)}; name one with --provider."
            )
        if self.ledger is not None and self.no_ledger:
            raise click.UsageError("--ledger and --no-ledger exclude each other.")
        if self.prepare and all(map(_is_sent_pixels, providers)):
            raise click.UsageError(
                f"--prepare is for engines that are sent a picture; {', '.join(providers)} gets 28x28 "
                "pixels, prepared as MNIST was."
            )

    def options(self, run: str | None = None) -> EngineOptions:
        """Return how engines are asked, with the budget of a run; None: of one of its own."""
        options = EngineOptions(
            timeout=self.timeout,
            attempt_timeout=self.attempt_timeout or (self.timeout if self.emulate else None),
            concurrency=1 if self.emulate else 4,  # an emulator's engines share the cores of this machine
            max_cost=self.max_cost,
            ledger=self.ledger or ("none" if self.no_ledger or self.emulate else "default"),
            record=self.record,
        )
        return options if run is None else replace(options, _run=run)

    def _engine(
        self, name: str, env: Mapping[str, str], options: EngineOptions, preparation: str | None
    ) -> Engine:
        if self.replay is not None and registry.provider_class(name).price != FREE:
            from digitrec.engine.replay import Replay

            return Replay(self.replay, name, preparation=preparation)
        return _prepared_for(Engine(self._provider(name, env), options), preparation)

    def _provider(self, name: str, env: Mapping[str, str]) -> Provider:
        if name == "local" and self.model is not None:
            return registry.open_provider(name, model=self.model, scale=self.model_scale)
        return registry.open_provider(name, env=env)


def _is_sent_pixels(name: str) -> bool:
    """Whether the engine has one form of image only, MNIST's; False where its class does not say."""
    wants = getattr(registry.provider_class(name), "wants", None)
    return isinstance(wants, InputSpec) and wants.encoding == "mnist"


def _prepared_for(engine: Engine, preparation: str | None) -> Engine:
    """Return the engine with this preparation; None: with its own."""
    provider = engine.provider
    if preparation is not None and provider.wants.encoding != "mnist":
        from digitrec.prepare.encode import spec_for

        provider.wants = spec_for(provider.wants, preparation)
    return engine


@contextmanager
def _emulated(providers: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Yield an environment in which the clouds among these names are emulated on this machine.

    Keep digitrec's own settings, such as the model whose tokens have a price.
    """
    from digitrec.emulator import Emulator, environment

    os.environ.pop("AWS_PROFILE", None)  # botocore looks for it, whatever keys it is given
    os.environ["NO_PROXY"] = ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1"]))
    with quietly():
        emulator = Emulator([name for name in providers if name in EMULATED])
    with emulator:
        env = {name: value for name, value in os.environ.items() if not name.startswith(REAL_KEYS)}
        for name, endpoint in emulator.endpoints.items():
            theirs = environment(name, endpoint)
            ours = {variable for variable in theirs if variable.startswith("DIGITREC_") and env.get(variable)}
            env |= {variable: value for variable, value in theirs.items() if variable not in ours}
        yield env


@contextmanager
def local_engine(model: Path | None, model_scale: str | None) -> Iterator[Engine]:
    """Yield the engine of a model file and close it; None: of the shipped network.

    Raises:
        click.UsageError: a scale without a file.
        ModelError: the file cannot be used.
    """
    if model_scale is not None and model is None:
        raise click.UsageError("--model-scale goes with --model.")
    own: dict[str, Any] = {} if model is None else {"model": model, "scale": model_scale}
    with quietly():
        engine = Engine(registry.open_provider("local", **own))
    try:
        yield engine
    finally:
        engine.close()


asking_options = options.gathered(
    "asking", Asking,
    options.model,
    options.model_scale,
    click.option("--prepare", callback=_preparations, metavar="|".join(PREPARATIONS),
                 shell_complete=values.preparations,
                 help="Send the whole picture, the digit enlarged, or the digit repeated.  "
                 "[default: by engine]"),
    click.option("--timeout", type=options.SECONDS, default=30.0, show_default=True,
                 metavar="SECONDS", help="Deadline for one image, with waits and retries."),
    options.attempt_timeout,
    options.usd("--max-cost", help="Budget of the command."),
    click.option("--ledger", type=Output(*LEDGERS, reopened=True), metavar="FILE",
                 help="File of paid answers.  [default: in the user's data folder]"),
    options.flag("--no-ledger", help="Neither keep nor reuse paid answers."),
    click.option("--record", type=Output(*LEDGERS, reopened=True), metavar="FILE",
                 help="Also write paid answers to this recording."),
    click.option("--replay", type=Input(exists=True), metavar="FILE",
                 help="Answer from this recording; ask no cloud."),
    options.flag("--emulate", help="Ask a local emulator instead of the cloud: free, but says nothing about "
                 "its accuracy. Kept only with --ledger."),
)  # fmt: skip
"""All options on how engines are asked, as one `Asking`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The options of `policy`, together."""

    fallback: list[str]
    below: float
    consensus: int | None

    def names(self, first: Sequence[str], *, together: bool = False) -> list[str]:
        """All engines that may be asked, in their order.

        Args:
            first: those of ``--provider``.
            together: they shall give one answer, so several need a policy.

        Raises:
            click.UsageError: the options contradict each other.
        """
        if self.fallback and self.consensus is not None:
            raise click.UsageError("--fallback and --consensus exclude each other.")
        names = [*first, *self.fallback]
        if together and len(names) > 1 and not self.fallback and self.consensus is None:
            raise click.UsageError(
                "several engines give one answer with --consensus or --fallback; to see what each says, use "
                "`digitrec compare`."
            )
        if len(set(names)) < len(names):
            raise click.UsageError(f"an engine is named twice: {', '.join(names)}.")
        if self.consensus is not None and not 2 <= self.consensus <= len(names):
            raise click.UsageError(
                f"--consensus {self.consensus} needs that many engines, and 2 at least: name them with "
                "--provider A,B,C."
            )
        return names

    def policy(self, engines: Sequence[Engine]) -> EnginePolicy | None:
        """Return the policy over the engines; None without one."""
        if not self.fallback and self.consensus is None:
            return None
        from digitrec.comparison.policy import Consensus, Fallback  # most commands ask one engine

        if self.consensus is None:
            return Fallback(engines, self.below)
        return Consensus(engines, self.consensus)


policy = options.gathered(
    "rule", Rule,
    click.option("--fallback", callback=options.names, metavar="NAMES", shell_complete=values.providers,
                 help="Engines to ask in this order if one is unsure or fails."),
    click.option("--below", type=options.SHARE, default=0.9, show_default=True, metavar="CHANCE",
                 help="Unsure: below this probability (see `digitrec calibrate`)."),
    click.option("--consensus", type=int, metavar="N",
                 help="Only take a digit that N engines agree on."),
)  # fmt: skip
"""``--fallback``, ``--below`` and ``--consensus``, as one `Rule`."""
