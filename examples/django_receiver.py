"""Callbacks in Django: stored on disk before they are confirmed, and counted once.

SINCH_CALLBACK_SECRETS=... python examples/django_receiver.py runserver 8080

In a project of your own only `take_callback` and its path are needed.
"""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from sinch_wrapper import CallbackError, CallbackParseError, SignatureError
from sinch_wrapper.callbacks import EventStore, parse

# A worker process opens its own, so this is a module of the workers, not of what forks them.
store = EventStore("django.db")


def take_callback(request: HttpRequest) -> HttpResponse:
    """Verify the bytes as they came, store them, and confirm."""
    secrets = os.environ["SINCH_CALLBACK_SECRETS"].split()
    try:
        is_new = store.add(parse(request.body, request.headers, secrets))
    except SignatureError:
        return HttpResponse(status=401)
    except CallbackParseError:
        return HttpResponse(status=400)
    except CallbackError:  # it could not be stored: Sinch will repeat it
        return HttpResponse(status=503)
    return HttpResponse("new" if is_new else "known")


urlpatterns = [path("sinch/", csrf_exempt(require_POST(take_callback)))]

if __name__ == "__main__":
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])
    execute_from_command_line(sys.argv)
