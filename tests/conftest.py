"""Where the shared fixtures come from."""

from hypothesis import settings

pytest_plugins = ["tests.helpers.core", "tests.helpers.sandbox"]

# A machine that is busy with something else makes no example fail.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
