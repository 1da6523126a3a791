"""What is simulated of one job: its process, which dies and comes again, and its queue."""

from dataclasses import dataclass, field
from pathlib import Path

from sinch_wrapper.bulk._journal import Job
from sinch_wrapper.bulk._outbox_desk import OutboxDesk, OutboxPlanner
from sinch_wrapper.bulk._sender import Sender
from tests.simulation.api import Post
from tests.simulation.journals import KillableJournal
from tests.simulation.scenario import JobScript


@dataclass
class AppQueue:
    """How many messages are in the queue of the app, at most."""

    script: JobScript
    count: float = 0.0
    at: float = 0.0
    seen: set[int] = field(default_factory=set)

    def take(self, post: Post, now: float) -> bool:
        """Count a request; returns whether the queue has room for it."""
        drained = self.script.drain * (now - self.at)
        self.count, self.at = max(0.0, self.count - drained) + post.count, now
        if post.chunk in self.seen:
            # The one before has no place any more, or this one would not have left.
            self.count = max(float(post.count), self.count - post.count)
        self.seen.add(post.chunk)
        return self.count <= max(self.script.queue, post.count) + self.script.chunk_size

    def give_back(self, many: int) -> None:
        """Count what was not accepted."""
        self.count = max(0.0, self.count - many)


@dataclass
class Process:
    """One job and the process that sends it: dies, is resumed, and comes to its last act."""

    number: int
    script: JobScript
    folder: Path
    journal: KillableJournal
    job: Job | None = None
    planner: Sender | OutboxPlanner | None = None
    run: int = 0
    kills: list[float] = field(default_factory=list)
    began: float = 0.0
    stop_at: float | None = None
    acts: list[str] = field(default_factory=list)
    doing: str = "send"
    steps: int = 0
    wakes: int = 0
    is_stopping: bool = False
    stopped_by: str = ""
    forced: set[int] = field(default_factory=set)
    is_over: bool = False
    error: str = ""
    # Recipients who opted out before their requests were built.
    left_out: int = 0
    # The job that this one retries.
    old: "Process | None" = None
    desk: OutboxDesk = field(default_factory=OutboxDesk)
    queue: AppQueue = field(init=False)

    def __post_init__(self) -> None:
        self.queue = AppQueue(self.script)

    @property
    def sender(self) -> Sender | None:
        """What sends its requests."""
        planner = self.planner
        return planner.sender if isinstance(planner, OutboxPlanner) else planner
