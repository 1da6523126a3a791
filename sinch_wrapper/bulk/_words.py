"""Numbers with their nouns, for people."""

__all__ = ["counted"]


def counted(count: int, noun: str) -> str:
    """*count* and its *noun*: `1 row`, `2 rows`, `0 batches`."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {noun}{'es' if noun.endswith('ch') else 's'}"
