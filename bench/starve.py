"""Measure how long a drawing waits during attacks: large or many pictures, silent sockets, hostile files.

One client keeps posting a drawing of 280x280 pixels, first alone, then beside each attack. An attack
comes from the drawing's own address or from others (127.0.0.2, ...: Linux has them all). Everything happens
on 127.0.0.1; the clients are this process, the server is another.

Goals: beside each attack all drawings are answered with 200, their median stays within 10 times the median
alone, and none takes 5 seconds. Prints a table, writes it into docs/benchmarks.md, and
exits non-zero when a goal is missed.

    python bench/starve.py [SECONDS]     for each attack; by default 20
"""

import asyncio
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass

from figures import publish_rows
from load import HOST, Connection, multipart, seven
from repeats import GRAMMAR, LIMIT
from serve import ours

PAUSE_S = 0.05
"""Pause between a drawing's answer and the next drawing, in seconds."""
MOST_TIMES, WORST_S = 10, 5.0
"""The goals."""
DRAWING = multipart(seven(280, "RGBA"))
SILENT = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n7"


@dataclass(frozen=True, slots=True)
class Attack:
    """What others do meanwhile."""

    name: str
    """For the table."""
    clients: int = 0
    """Number of clients that send the next request as soon as their answer has arrived."""
    side: int = 0
    """Width and height of the attack's pictures, px."""
    copies: int = 32
    """Number of pictures in each request of the attack."""
    elsewhere: bool = True
    """Whether each client has its own address; otherwise all use the drawing's address."""
    sockets: int = 0
    """Number of connections that send one byte of a body and then nothing."""
    file: tuple[str, str] | None = None
    """A hostile file of `repeats.GRAMMAR`, 1 MB, that the clients send instead of pictures."""

    def request(self) -> bytes:
        """Return the request that each client posts."""
        if self.file is not None:
            form, element = self.file
            return multipart(GRAMMAR[form][element](LIMIT // 10))
        return multipart(seven(self.side, "RGB"), self.copies) if self.clients else b""


ATTACKS = (
    Attack("nobody else"),
    Attack("two with 32 pictures of 16 Mpx", 2, 4000),
    Attack("two with 32 pictures of 16 Mpx, same address", 2, 4000, elsewhere=False),
    Attack("two with 32 pictures of 1 Mpx", 2, 1000),
    Attack("two with 32 drawings", 2, 280),
    Attack("200 silent sockets, same address", sockets=200, elsewhere=False),
    Attack("20 with a TIFF of 60,000 tags", 20, file=("TIFF", "720 KB of tags")),
    Attack(
        "20 with a TIFF of 60,000 tags, same address", 20, elsewhere=False, file=("TIFF", "720 KB of tags")
    ),
    Attack("20 with a JPEG of 200,000 comments", 20, file=("JPEG", "COM")),
    Attack("20 with a PNG of 80,000 chunks", 20, file=("PNG", "empty chunks before the pixels")),
)


async def measure(port: int, attack: Attack, seconds: float) -> list[tuple[int, float]]:
    """Status and time, s, of each drawing beside an attack."""
    dear = attack.request()
    silent = [await asyncio.open_connection(HOST, port) for _ in range(attack.sockets)]
    for _, writer in silent:
        writer.write(SILENT)

    async def again_and_again(number: int) -> None:
        client = Connection(port, f"127.0.0.{number + 2}" if attack.elsewhere else HOST)
        try:
            while True:
                if await client.ask(dear) != 200:
                    await asyncio.sleep(0.1)
        finally:
            client.close()

    attackers = [asyncio.create_task(again_and_again(number)) for number in range(attack.clients)]
    await asyncio.sleep(1)
    client, answers = Connection(port), []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        answers.append((await client.ask(DRAWING), time.perf_counter() - start))
        await asyncio.sleep(PAUSE_S)
    for attacker in attackers:
        attacker.cancel()
    for _, writer in silent:
        writer.close()
    return answers


def main(seconds: float) -> int:
    """Measure each attack on its own server; return 1 if a goal was missed."""
    alone, missed = 0.0, 0
    rows = ["| beside | drawings | median | worst | median / alone | answers |", "|---|---|---|---|---|---|"]
    for attack in ATTACKS:
        with ours(DRAWING) as server:
            answers = asyncio.run(measure(server.port, attack, seconds))
        times = [taken for _, taken in answers]
        median, worst = statistics.median(times), max(times)
        alone = alone or median
        statuses = Counter(status for status, _ in answers)
        told = ", ".join(f"{count} x {status or 'none'}" for status, count in statuses.items())
        row = f"{len(times)} | {1000 * median:.0f} ms | {worst:.2f} s | {median / alone:.1f} | {told}"
        rows.append(f"| {attack.name} | {row} |")
        missed += set(statuses) != {200} or median > MOST_TIMES * alone or worst > WORST_S
    publish_rows("A drawing beside others", rows)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 20.0))
