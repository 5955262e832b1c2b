"""The official `openai` SDK against our chat completions; prints OK at the end.

Arguments: the server's URL, token, and two that other scripts need."""

import sys

import openai

base_url, token = f"{sys.argv[1]}/v1", sys.argv[2]
client = openai.OpenAI(base_url=base_url, api_key=token, max_retries=0)
messages = [{"role": "user", "content": "Say hello."}]
expected = "Hello from the simulator."

models = [model.id for model in client.models.list()]
assert {"gpt-4.1-mini", "claude-sonnet-4-5"} <= set(models), models

for model in ("gpt-4.1-mini", "claude-sonnet-4-5"):
    whole = client.chat.completions.create(model=model, messages=messages)
    assert whole.choices[0].message.content == expected, whole
    assert whole.choices[0].finish_reason == "stop", whole
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0, whole

    text, usage, reason = "", None, None
    stream = client.chat.completions.create(
        model=model, messages=messages, stream=True, stream_options={"include_usage": True}
    )
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reason = choice.finish_reason or reason
    assert (text, reason) == (expected, "stop"), (text, reason)
    assert usage.total_tokens > 0, usage

    with client.chat.completions.stream(model=model, messages=messages) as events:
        final = events.get_final_completion()
    assert final.choices[0].message.content == expected, final

    raw = client.chat.completions.with_raw_response.create(model=model, messages=messages)
    assert raw.headers["x-request-id"] and raw.headers["x-plantocode-audit"], raw.headers

for arguments, error in (
    ({"model": "no-such-model", "messages": messages}, openai.NotFoundError),
    ({"model": "gpt-4.1-mini", "messages": []}, openai.BadRequestError),
):
    try:
        client.chat.completions.create(**arguments)
    except error as raised:
        assert raised.code in ("model_not_found", "invalid_request"), raised
        assert raised.request_id, raised
    else:
        raise AssertionError(f"{arguments} was accepted")

try:
    openai.OpenAI(base_url=base_url, api_key="wrong", max_retries=0).models.list()
except openai.AuthenticationError as raised:
    assert raised.code == "unauthenticated", raised
else:
    raise AssertionError("a wrong token was accepted")

print("OK")
