"""The system's keyring, for the secrets of profiles (extra: keyring).

An entry belongs to the name of a profile and the id of its key, so that no key is ever used with
the secret of another.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sinch_wrapper._forget import forgetting
from sinch_wrapper.errors import ConfigurationError

_SERVICE: Final = "sinch-wrapper"


def keyring_fault() -> str | None:
    """Why no secret can be kept in the keyring of this machine; None when it can."""
    try:
        import keyring
    except ImportError:
        return 'keyring is not installed: pip install "sinch-wrapper[keyring]"'
    try:
        # Those that keep nothing have no priority above 0.
        works = keyring.get_keyring().priority > 0
    except Exception:  # noqa: BLE001 (each system fails in its own way)
        works = False
    return None if works else "this machine has no keyring that works"


@forgetting
def keep_secret(name: str, key_id: str, secret: str) -> None:
    """Store the *secret* of the profile *name*; raises ConfigurationError when that fails."""
    with _failures("store the secret in"):
        import keyring

        keyring.set_password(_SERVICE, f"{name}/{key_id}", secret)


@forgetting
def kept_secret(name: str, key_id: str) -> str:
    """The secret of the profile *name*.

    Raises: ConfigurationError when the keyring cannot be read, or has none for it.
    """
    with _failures("read"):
        import keyring

        secret = keyring.get_password(_SERVICE, f"{name}/{key_id}")
    if not secret:
        raise ConfigurationError(
            f"the keyring has no secret for profile {name}: sinch-wrapper login --profile {name}"
        )
    return secret


@forgetting
def drop_secret(name: str, key_id: str) -> None:
    """Delete the secret of the profile *name*, if there is one.

    Raises: ConfigurationError when the keyring cannot be changed.
    """
    with _failures("change"):
        import keyring

        if keyring.get_password(_SERVICE, f"{name}/{key_id}") is not None:
            keyring.delete_password(_SERVICE, f"{name}/{key_id}")


@contextmanager
def _failures(action: str) -> Iterator[None]:
    try:
        yield
    except ImportError:
        reason = 'pip install "sinch-wrapper[keyring]"'
    except Exception as error:  # noqa: BLE001 (each system fails in its own way)
        reason = type(error).__name__
    else:
        return
    raise ConfigurationError(f"cannot {action} the keyring: {reason}")
