"""A simulation of bulk jobs: one seed drives sender, API, look-ups, callbacks, clock and crashes.

The planner and the journal are the real ones; time is virtual, and nothing runs in threads.
`python -m tests.simulation --seed N` replays one seed with a trace.
"""
