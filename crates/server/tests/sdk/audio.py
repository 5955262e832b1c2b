"""OpenAI's Python SDK transcribes through the server."""

import io
import sys

import openai

from simulators import HELLO, Simulator

url, token, openai_url, _ = sys.argv[1:]
client = openai.OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0)
simulator = Simulator(openai_url)


def sound():
    recording = io.BytesIO(bytes(range(256)) * 100)
    recording.name = "a.mp3"
    return recording


simulator.behave()
create = client.audio.transcriptions.create
assert create(model="whisper-1", file=sound()).text == HELLO
verbose = create(model="whisper-1", file=sound(), response_format="verbose_json", timestamp_granularities=["segment"])
assert (verbose.text, verbose.duration, verbose.segments[0].end) == (HELLO, 8.47, 8.47), verbose
for form, start in (("text", HELLO), ("srt", "1\n00:00"), ("vtt", "WEBVTT")):
    text = create(model="whisper-1", file=sound(), response_format=form)
    assert text.startswith(start), (form, text)
tokens = create(model="gpt-4o-transcribe", file=sound(), language="en", prompt="greetings")
assert (tokens.text, tokens.usage.type, tokens.usage.input_tokens) == (HELLO, "tokens", 90), tokens

text, last = "", None
for event in create(model="gpt-4o-transcribe", file=sound(), stream=True):
    last = event
    text += event.delta if event.type == "transcript.text.delta" else ""
assert (text, last.type, last.text) == (HELLO, "transcript.text.done", HELLO), last

for arguments, error in (
    ({"model": "no-such-model"}, openai.NotFoundError),
    ({"model": "gpt-4o-transcribe", "response_format": "srt"}, openai.BadRequestError),
    ({"model": "claude-sonnet-4-5"}, openai.BadRequestError),
):
    try:
        create(file=sound(), **arguments)
    except error as raised:
        assert raised.code and raised.request_id, raised
    else:
        raise AssertionError(f"{arguments} was accepted")

simulator.behave(fail={"status": 429, "retry_after": "1", "times": 1})
again = openai.OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=2)
assert again.audio.transcriptions.create(model="gpt-4o-transcribe", file=sound()).text == HELLO

print("OK")
