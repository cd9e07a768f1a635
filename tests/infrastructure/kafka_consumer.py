"""A consumer as a process: prints what it handles, and dies of the value ``deadly``.

    python -m tests.infrastructure.kafka_consumer ADDRESS TOPIC GROUP

Of a record that others have died of, it prints that instead, as a receiver parks it.
"""

import asyncio
import os
import signal
import sys

from application.receiving.receiver import DEADLY
from infrastructure import kafka

BRIEF = {  # what is gone, and what is new, is noticed sooner than in a service
    "session.timeout.ms": 6_000,
    "topic.metadata.refresh.interval.ms": 1_000,
}


async def main(address: str, topic: str, group: str) -> None:
    records = kafka.IncomingRecords({"bootstrap.servers": address, **BRIEF})
    async with records.consume(group, [topic]) as arrivals:
        print("ready", flush=True)
        async for arrival in arrivals:
            name = (arrival.record.value or b"").decode()
            if arrival.deaths >= DEADLY:
                print(f"parked {name}", flush=True)
            elif name == "deadly":
                os.kill(os.getpid(), signal.SIGKILL)
            else:
                print(f"handled {name}", flush=True)
            arrival.done()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
