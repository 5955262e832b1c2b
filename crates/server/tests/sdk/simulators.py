"""The simulated providers behind the server, as the scripts beside this file steer them."""

import json
import time
import urllib.request

HELLO = "Hello from the simulator."
# One red pixel.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="

# Neither the server nor the simulators are ever behind a proxy.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _call(url, method="GET", body=None):
    data = None if body is None else json.dumps(body).encode()
    with _opener.open(urllib.request.Request(url, data=data, method=method), timeout=10) as reply:
        return json.load(reply)


class Simulator:
    def __init__(self, url):
        self.url = url

    def behave(self, **behaviour):
        """Replaces the behaviour and forgets what was received."""
        _call(f"{self.url}/_control", "POST", {"style": "text", "text": HELLO, **behaviour})
        _call(f"{self.url}/_log", "DELETE")

    def log(self):
        return _call(f"{self.url}/_log")

    def last(self):
        return json.loads(self.log()[-1]["body"])

    def left_soon(self):
        """Waits until the last request was left by the server before it was answered."""
        start = time.monotonic()
        while time.monotonic() - start < 3:
            if self.log()[-1]["disconnected_at_ms"] is not None:
                return time.monotonic() - start < 0.7
            time.sleep(0.02)
        return False


def raises(kind, action):
    """The error that an action ends with."""
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")
