"""What a sandbox can be told when it starts."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sinch_wrapper.sandbox.faults import FaultRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    The project, its credentials, the limits and the faults of one sandbox.

    Times are seconds and rates are per second. *drain_rate* is the number of messages per second
    that leave the queue of one app (Sinch documents 20, which is slow for a test); *request_rate*
    is the number of requests per second of the project, beyond which the answer is 429.
    *clock*, *sleep* and *seed* make a run repeatable.
    """

    project_id: str = "sandbox-project"
    key_id: str = "sandbox-key"
    key_secret: str = field(default="sandbox-secret", repr=False)
    app_id: str = "01J0SANDB0X0APP00000000000"
    token_lifetime: float = 3600
    drain_rate: float = 1000
    queue_limit: int = 500_000
    request_rate: float = 800
    message_limit: int = 100_000
    callback_attempts: int = 5
    callback_backoff: float = 0.5
    callback_timeout: float = 5
    callback_workers: int = 4
    faults: tuple[FaultRule, ...] = ()
    seed: int = 0
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
