"""Answer from a recording instead of a provider, so that a comparison can be repeated without an account."""

from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path

from digitrec.answer import total
from digitrec.engine import Engine, Estimate, Options, Reply
from digitrec.engine.ledger import Ledger, entries
from digitrec.engine.ledger.records import Entry, Question, to_spec
from digitrec.errors import DigitrecError, LedgerError, NotConfigured, NotRecorded
from digitrec.errors.text import encoding
from digitrec.image import InputSpec, PreparedImage
from digitrec.image.pixels import NUMBERS_SIDE
from digitrec.providers import registry
from digitrec.providers.base import FREE, BaseProvider, ForNumbers, Price

SQLITE = b"SQLite format 3\0"
"""The first bytes of a ledger."""


class Replay(Engine):
    """An engine that answers from a recording without asking or paying a provider.

    A file with several answers, such as one for each region, is answered by the one for the same prepared
    bytes. If there is none, the file's last answer counts, because another version of Pillow may prepare
    other bytes.
    """

    def __init__(
        self, path: Path, provider: str, *, preparation: str | None = None, needed: bool = True
    ) -> None:
        """Read the recording.

        Args:
            path: a recording (``--record``), another ledger, its export, or a recording of version 0.2 or
                earlier; the file is not changed.
            provider: name of the provider whose answers are used.
            preparation: which answers to use if the recording has several preparations; None: the only one.
            needed: whether there must be an answer of this provider.

        Raises:
            LedgerError: the recording cannot be read, has no answer although one is needed, or has answers to
                different questions about the same images; the message says which.
        """
        known = [it for it in _entries(path) if it.question.provider == provider]
        found = [it for it in known if preparation in (None, to_spec(it.question.spec).preparation)]
        if needed and not found:
            how = ", ".join(sorted({to_spec(it.question.spec).preparation for it in known}))
            other = f" with the preparation {preparation}, only with {how}" if known else ""
            todo = "record one, or name another provider or preparation"
            raise LedgerError(f"{path} has no answer of {provider}{other}; {todo}")
        _check(found, path, provider)
        asked, stand_in = found[-1].question if found else None, BaseProvider()
        stand_in.name, stand_in.price = provider, FREE
        stand_in.endpoint = None if asked is None else asked.endpoint
        stand_in.wants = InputSpec("png") if asked is None else to_spec(asked.spec)
        super().__init__(stand_in, Options())
        spent = total([it.cost_usd for it in found])
        each = None if spent is None else spent / max(len(found), 1)
        stand_in.price = None if each is None else Price(each, f"recorded in {path}")
        self._path = path
        self._exact = {it.question.prepared_sha256: it for it in found}
        self._latest = {it.question.image_sha256: it for it in found}

    @cached_property
    def for_numbers(self) -> Engine:
        """This engine.

        Raises:
            NotConfigured: the recorded answers are about one digit.
        """
        if self.wants.crop or (self.wants.enough < NUMBERS_SIDE and _asks_anew(self.provider.name)):
            raise NotConfigured(f"{self._path} has answers of {self.provider.name} about single digits only")
        return super().for_numbers

    def ask(self, images: Sequence[PreparedImage]) -> list[Reply]:
        """Return a reply for each image, in order: NotRecorded if the recording has no answer."""
        return [self._reply(image) for image in images]

    def _reply(self, image: PreparedImage) -> Reply:
        entry = self._entry(image)
        if entry is None:
            missing = f"{self._path} has no answer of {self.provider.name} for this image; record it first"
            return Reply(NotRecorded(missing), 0.0, attempts=0)
        return Reply(entry.answer, 0.0, attempts=0, replayed=True, emulated=entry.question.emulated)

    def _entry(self, image: PreparedImage) -> Entry | None:
        asked = Question.about(image, self.provider, emulated=False)
        return self._exact.get(asked.prepared_sha256) or self._latest.get(asked.image_sha256)

    def estimate(self, images: Iterable[PreparedImage]) -> Estimate:
        """Return an estimate without requests and costs."""
        found = [self._entry(image) is not None for image in images]
        return Estimate(self.provider.name, len(found), sum(found), 0, 0.0)


def _asks_anew(name: str) -> bool:
    """Return whether a provider sends another request for numbers; an unknown one may not be installed."""
    with suppress(DigitrecError):
        return issubclass(registry.provider_class(name), ForNumbers)
    return False


def _entries(path: Path) -> list[Entry]:
    """Return every answer in a ledger, or in the JSON lines of an exported ledger."""
    try:
        with path.open("rb") as file:
            is_ledger = file.peek().startswith(SQLITE)
            data = b"" if is_ledger else file.read()
            lines = data.decode(encoding(data)).split("\n")
    except UnicodeError as error:
        raise LedgerError(f"{path}: its text is not UTF-8 ({error}); export it again") from error
    except OSError as error:
        raise LedgerError(f"{path} cannot be read ({error.strerror}); check the name") from error
    if is_ledger:
        with closing(Ledger(path, copied=True)) as ledger:
            return list(entries(ledger))
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(Entry.parse(line))
        except ValueError as error:
            raise LedgerError(f"{path}, line {number}: not a recorded answer; record it again") from error
    return found


def _check(entries: Sequence[Entry], path: Path, provider: str) -> None:
    """Check that the answers are from one provider in one way; others would make the comparison invalid."""
    asked = [entry.question for entry in entries]
    # Emulators count as equal, because their ports differ each time. The specs of old entries lack fields.
    if len({(one.emulated or one.endpoint, one.options, to_spec(one.spec)) for one in asked}) > 1:
        how = sorted({to_spec(one.spec).preparation for one in asked})
        raise LedgerError(
            f"{path} holds answers of {provider} to different questions (preparations: {', '.join(how)}); "
            "choose one preparation, or split the recording by endpoint and options"
        )
