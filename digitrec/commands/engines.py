"""Choose and open the engines that a command asks, by its options."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitrec.commands import options
from digitrec.commands.cost import Described
from digitrec.commands.progress import quietly
from digitrec.engine import Engine, Options, config
from digitrec.errors import NotConfigured, NotInstalled
from digitrec.image import InputSpec
from digitrec.models import store
from digitrec.prepare import PREPARATIONS
from digitrec.providers import registry
from digitrec.providers.base import FREE

if TYPE_CHECKING:
    from digitrec.comparison.policy import EnginePolicy
    from digitrec.recognise import Rotation

REAL_KEYS = (
    "GOOGLE_", "AWS_", "VISION_", "AZURE_", "COMPUTER_VISION_", "DOCUMENTINTELLIGENCE_", "OPENAI_",
    "DIGITREC_OPENAI_PRESET", "DIGITREC_GOOGLE_ENDPOINT",
)  # fmt: skip
"""Prefixes of variables with real credentials and addresses, which an emulated provider must not get."""
EMULATED = ("google", "aws", "aws-textract", "azure", "azure-analysis", "azure-document", "openai")
"""The providers that the emulator can replace."""
BELOW = 0.9
"""Default of ``--below``."""


def _preparations(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str]:
    """Parse the names of preparations, separated by commas."""
    chosen = options.names(ctx, param, value)
    for name in chosen:
        if name not in PREPARATIONS:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(PREPARATIONS)}.", ctx, param)
    return chosen


@dataclass(frozen=True, slots=True)
class Asking:
    """The options of a command that choose its engines and how they are asked.

    An option that a command lacks has its default.
    """

    providers: Sequence[str] = ()
    model: Path | None = None
    model_scale: str | None = None
    prepare: Sequence[str] = ()
    timeout: float = 30.0
    attempt_timeout: float | None = None
    max_cost: float | None = None
    ledger: Path | None = None
    no_ledger: bool = False
    record: Path | None = None
    replay: Path | None = None
    emulate: bool = False
    fallback: Sequence[str] = ()
    below: float | None = None
    consensus: int | None = None
    dry_run: bool = False
    run: str = field(default_factory=lambda: os.urandom(8).hex())
    """Account of the budget, which the processes of a batch share."""
    numbers: bool = False
    digits: tuple[int, int] | None = None
    lenient: bool = False
    at_least: float = 0.0
    rotate: Rotation = 0

    def names(self, *, together: bool = False) -> list[str]:
        """Return the names of all engines that may be asked, in order.

        With ``together`` they must give one answer: the default is the configured engine; several need a
        policy.

        Raises:
            click.UsageError: the options contradict each other.
        """
        if self.fallback and self.consensus is not None:
            raise click.UsageError("--fallback and --consensus exclude each other.")
        if self.below is not None and not self.fallback:
            raise click.UsageError("--below needs --fallback.")
        names = [*(self.providers or [config.load().provider]), *self.fallback]
        if together and len(names) > 1 and not self.fallback and self.consensus is None:
            raise click.UsageError(
                "several engines give one answer with --consensus or --fallback; to see what each says, use "
                "`digitrec compare`."
            )
        if len(set(names)) < len(names):
            raise click.UsageError(
                f"an engine is named twice in {', '.join(names)}: --fallback adds to the others."
            )
        if self.consensus is not None and not 2 <= self.consensus <= len(names):
            raise click.UsageError(
                f"--consensus {self.consensus} needs that many engines, and 2 at least; name more."
            )
        return names

    def model_file(self, names: Sequence[str]) -> Path | None:
        """Return the user's model, by ``--model`` or DIGITREC_MODEL, if the local engine is one of these."""
        model = self.model or os.environ.get("DIGITREC_MODEL", "").strip()
        return Path(model) if model and "local" in names else None

    def policy(self, engines: Sequence[Engine]) -> EnginePolicy | None:
        """Return the policy over the engines; None without one."""
        if not self.fallback and self.consensus is None:
            return None
        from digitrec.comparison.policy import Consensus, Fallback  # most commands ask one engine

        if self.consensus is None:
            return Fallback(engines, BELOW if self.below is None else self.below)
        return Consensus(engines, self.consensus)

    @contextmanager
    def engines(self, names: Sequence[str]) -> Iterator[list[Engine]]:
        """Yield the engines of these names, closed at the end; for errors see `opener`."""
        with self.opener(names) as open_engine:  # of several, a policy may not have needed each
            yield [open_engine(name, needed=len(names) == 1) for name in names]

    @contextmanager
    def reader(self, names: Sequence[str]) -> Iterator[Engine | EnginePolicy]:
        """Yield the one engine with these names, or the policy over several; see `engines`."""
        with self.engines(names) as engines:
            yield self.policy(engines) or engines[0]

    @contextmanager
    def columns(self, names: Sequence[str]) -> Iterator[dict[str, Engine]]:
        """Yield the engines by name; with several preparations, each engine once per preparation."""
        with self.opener(names, several=True) as open_engine:
            columns: dict[str, Engine] = {}
            preparations: Sequence[str | None] = self.prepare or [None]
            for name in names:
                for preparation in preparations:
                    engine = open_engine(name, preparation)
                    if len(self.prepare) < 2 or engine.wants.encoding == "mnist":
                        columns[name] = engine
                        break
                    columns[f"{name}/{preparation}"] = engine
            yield columns

    @contextmanager
    def opener(self, names: Sequence[str], *, several: bool = False) -> Iterator[Callable[..., Engine]]:
        """Yield a function that opens an engine by its name; all engines are closed at the end.

        The function also takes a preparation, by default the requested one; with ``several`` there may be
        more than one. With ``--dry-run`` it also opens engines without credentials, which can only estimate.
        The engines share one budget.

        Raises:
            click.UsageError: the options do not fit these engines.
            DigitrecError: raised by the function: the engine cannot be asked at all.
        """
        self._check(names)
        if len(self.prepare) > 1 and not several:
            raise click.UsageError("only `digitrec benchmark` takes several preparations.")
        own = self.prepare[0] if self.prepare else None
        with ExitStack() as stack:
            env = stack.enter_context(_emulated(names)) if self.emulate else os.environ

            def open_engine(name: str, preparation: str | None = own, *, needed: bool = True) -> Engine:
                try:
                    with quietly():
                        engine = self._engine(name, env, preparation, needed)
                        if self.model_file(names):
                            store.load()  # LiteRT prints a line with its first network
                except (NotConfigured, NotInstalled):
                    if not self.dry_run:
                        raise
                    engine = Engine(Described(name), self._options(name))
                if preparation is not None and engine.wants.encoding != "mnist":
                    from digitrec.prepare.encode import spec_for

                    engine.wants = spec_for(engine.wants, preparation)
                stack.callback(engine.close)
                return engine

            yield open_engine

    def settings(self) -> dict[str, str]:
        """Return the settings that a report names."""
        known = {
            "preparation": ", ".join(self.prepare) or "each engine's own",
            "timeout": f"{self.timeout:g} s for one picture",
            "model of local": self.model.name if self.model else "",
            "answers": f"replayed from {self.replay.name}" if self.replay else "",
        }
        return {name: value for name, value in known.items() if value}

    def how(self) -> dict[str, Any]:
        """Return the options of `digitrec.read_stream` with ``numbers``, else those of `digitrec.stream`.

        Raises:
            click.UsageError: numbers exclude the preparation or the model, or ``digits`` needs numbers.
        """
        if not self.numbers and self.digits is not None:
            raise click.UsageError("--digits needs --numbers.")
        if self.numbers and [*self.prepare] not in ([], ["plain"]):
            raise click.UsageError(f"--prepare must be plain to read numbers, not {', '.join(self.prepare)}.")
        if self.numbers and self.model is not None:
            raise click.UsageError(f"--model {self.model} reads single digits; leave it out to read numbers.")
        how = {"lenient": self.lenient, "at_least": self.at_least, "rotate": self.rotate}
        return {**how, "digits": self.digits} if self.numbers else how

    def _check(self, names: Sequence[str]) -> None:
        if self.model is not None and "local" not in names:
            raise click.UsageError(f"--model is for the local engine, not for {', '.join(names)}.")
        if self.model_scale is not None and self.model is None:
            raise click.UsageError("--model-scale needs --model.")
        if self.emulate and not set(names) & set(EMULATED):
            clouds = ", ".join(EMULATED)
            raise click.UsageError(f"--emulate replaces only {clouds}; name one with --provider.")
        if self.ledger is not None and self.no_ledger:
            raise click.UsageError("--ledger and --no-ledger exclude each other.")
        if self.record is not None and self.replay is not None:
            raise click.UsageError("--record and --replay exclude each other: copy the recording instead.")
        if len(self.prepare) > 1 and (self.fallback or self.consensus is not None):
            raise click.UsageError("a policy takes one preparation: --prepare would count an engine twice.")
        if self.prepare and all(map(_is_sent_pixels, names)):
            raise click.UsageError(
                f"--prepare does not apply to {', '.join(names)}, which reads 28x28 pixels in MNIST's form."
            )

    def _options(self, name: str) -> Options:
        is_emulated = self.emulate and name in EMULATED
        return Options(
            timeout=self.timeout,
            attempt_timeout=self.attempt_timeout or (self.timeout if is_emulated else None),
            concurrency=1 if is_emulated else 4,  # an emulator's engines share the cores of this machine
            max_cost=self.max_cost,
            ledger=self.ledger or ("none" if self.no_ledger or is_emulated else "default"),
            record=self.record,
            _run=self.run,
        )

    def _engine(self, name: str, env: Mapping[str, str], preparation: str | None, needed: bool) -> Engine:
        if self.replay is not None and registry.price_of(name) != FREE:
            from digitrec.engine.replay import Replay

            return Replay(self.replay, name, preparation=preparation, needed=needed)
        own = {"model": self.model, "scale": self.model_scale} if name == "local" and self.model else {}
        own_env = env if name in EMULATED else os.environ
        return Engine(registry.open_provider(name, env=own_env, **own), self._options(name))


def _is_sent_pixels(name: str) -> bool:
    """Return whether the engine takes only images in MNIST's form; False if its class does not say."""
    wants = getattr(registry.provider_class(name), "wants", None)
    return isinstance(wants, InputSpec) and wants.encoding == "mnist"


@contextmanager
def _emulated(providers: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Yield an environment in which the clouds among these names are emulated on this machine.

    Keep digitrec's own settings, such as the model whose tokens have a price.
    """
    from digitrec.emulator import Emulator, environment

    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):  # botocore reads them even if keys are set
        os.environ.pop(name, None)
    with quietly():
        emulator = Emulator([name for name in providers if name in EMULATED])
    with emulator:
        env = {name: value for name, value in os.environ.items() if not name.startswith(REAL_KEYS)}
        ours = {name: value for name, value in env.items() if name.startswith("DIGITREC_") and value}
        for name, endpoint in emulator.endpoints.items():
            env |= environment(name, endpoint)
        yield env | ours


_POLICY = (
    click.option("--fallback", callback=options.names, metavar="NAMES",
                 help="Engines to ask in this order if one is unsure or fails."),
    click.option("--below", type=options.SHARE, metavar="CHANCE",
                 help="With --fallback: probability below which an engine counts as unsure (see `digitrec "
                 f"calibrate`).  [default: {BELOW}]"),
    click.option("--consensus", type=int, metavar="N", help="Accept only a digit that N engines agree on."),
)  # fmt: skip
_HOW = (
    options.model,
    options.model_scale,
    click.option("--prepare", callback=_preparations, metavar="|".join(PREPARATIONS),
                 help="Send the whole picture, the digit enlarged or repeated; plain for numbers.  "
                 "[default: by engine]"),
    click.option("--timeout", type=options.SECONDS, default=30.0, show_default=True,
                 metavar="SECONDS", help="Deadline for one image, with waits and retries."),
    options.attempt_timeout,
    options.usd("--max-cost", help="Budget of the command."),
    options.saved("--ledger", "File of paid answers.  [default: in the user's data folder]",
                  *config.LEDGER_ENDINGS),
    options.flag("--no-ledger", help="Neither keep nor reuse paid answers."),
    options.saved("--record", "Also write paid answers to this recording.", *config.LEDGER_ENDINGS),
    options.file("--replay", "Answer from this recording; ask no cloud.", exists=True),
    options.flag("--emulate", help="Ask a local emulator instead of the cloud: free, but its answers say "
                 "nothing about the cloud's accuracy. They are kept only with --ledger."),
)  # fmt: skip
own_model = options.gathered("asking", Asking, options.model, options.model_scale)
"""``--model`` and its scale, for commands that ask only the local engine."""
asking_options = options.gathered("asking", Asking, *_HOW)
"""All options for asking engines."""
asking_by_policy = options.gathered("asking", Asking, *_POLICY, *_HOW)
"""The options in `asking_options`, and ``--fallback``, ``--below`` and ``--consensus``."""
asking_served = options.gathered(
    "asking", Asking, options.model, *_POLICY, options.attempt_timeout,
    options.usd("--max-cost", help="Budget while the server runs; needed for an engine that costs money."),
)  # fmt: skip
"""The options of `digitrec serve` for asking engines."""
