"""Takes slots of the shared rate for some seconds and prints when: cluster_rate.py URL SECONDS."""

import json
import sys
import threading
import time

from sinch_wrapper import cluster


def main(url: str, seconds: str) -> None:
    """Take slots in eight threads, from the moment that a line comes."""
    limiter = cluster.rate_limiter(url, project_id="P")
    taken: list[float] = []
    print("ready", flush=True)  # noqa: T201 (for the test)
    sys.stdin.readline()
    ends = time.time() + float(seconds)

    def take() -> None:
        while time.time() < ends:
            limiter.reserve()
            taken.append(time.time())

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    json.dump(taken, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
