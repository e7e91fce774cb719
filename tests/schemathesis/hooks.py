"""What schemathesis needs to know to ask a larder: who asks, and from where."""

import itertools
import os
import random
import subprocess

import schemathesis

NUMBERS = itertools.count()


@schemathesis.auth(refresh_interval=10)
class Keys:
    """Asks as an admin of its own, and every few seconds as another: the questions delete users and
    change keys, and whoever was deleted would hear nothing but 401 from then on."""

    def get(self, case, context):
        line = [os.environ["LARDER_BIN"], "user", "add", f"asker-{next(NUMBERS)}"]
        line += ["--state", os.environ["LARDER_FUZZ_STATE"], "--role", "admin"]
        line += ["--paths", '[""]', "--paths-write", '[""]']
        done = subprocess.run(line, input="a password\n", capture_output=True, text=True, check=True)
        return done.stdout.split()[-1]

    def set(self, case, data, context):
        case.headers = case.headers or {}
        case.headers["X-API-KEY"] = data


# The bytes of an upload (tus 1.0.0) go as they are.
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


@schemathesis.hook
def before_call(context, case, kwargs):
    """Each question comes from another address, through a trusted proxy, as from many people: one
    address may sign in once a second, and nearly every answer would be 429."""
    case.headers = case.headers or {}
    case.headers["X-Forwarded-For"] = ".".join(["10", *(str(random.randrange(1, 255)) for _ in range(3))])
