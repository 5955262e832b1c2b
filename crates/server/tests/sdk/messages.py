"""The official `anthropic` SDK against our server; prints OK at the end.

Arguments: the server's URL, token, URL of OpenAI's simulator, URL of Anthropic's."""

import sys

import anthropic
import pydantic

from simulators import HELLO, PIXEL, Simulator, raises

url, token, openai_url, anthropic_url = sys.argv[1:]
client = anthropic.Anthropic(base_url=url, api_key=token, max_retries=0)
ask = {"max_tokens": 500, "messages": [{"role": "user", "content": "Say hello."}]}


class Count(pydantic.BaseModel):
    n: int


def chat(model, simulator):
    simulator.behave()
    message = client.messages.create(model=model, **ask)
    assert message.content[0].text == HELLO and message.stop_reason == "end_turn", message
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0, message
    assert message._request_id, message
    raw = client.messages.with_raw_response.create(model=model, **ask)
    assert raw.headers["x-plantocode-audit"] and raw.headers["x-request-id"] == raw.headers["request-id"]
    bearer = anthropic.Anthropic(base_url=url, api_key=None, auth_token=token, max_retries=0)
    assert bearer.messages.create(model=model, **ask).content[0].text == HELLO


def streaming(model, simulator):
    simulator.behave()
    with client.messages.stream(model=model, **ask) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == HELLO == final.content[0].text and final.stop_reason == "end_turn", final
    assert final.usage.input_tokens > 0 and final.usage.output_tokens > 0, final
    kinds = [event.type for event in client.messages.create(model=model, stream=True, **ask)]
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop", kinds


def tools(model, simulator):
    simulator.behave(style="tools")
    tool = {"name": "read_file", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}
    listing = {"name": "list_files", "input_schema": {"type": "object", "properties": {}}}
    settings = {"tools": [tool, listing], "tool_choice": {"type": "any"}}
    whole = client.messages.create(model=model, **settings, **ask)
    with client.messages.stream(model=model, **settings, **ask) as stream:
        streamed = stream.get_final_message()
    for message in (whole, streamed):
        calls = [block for block in message.content if block.type == "tool_use"]
        told = [(call.name, call.input) for call in calls]
        assert told == [("read_file", {"path": "src/ä.rs"}), ("list_files", {})], message
        assert message.stop_reason == "tool_use", message
    simulator.behave()
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "x"} for call in calls]
    history = [*ask["messages"], {"role": "assistant", "content": whole.content}]
    ids = [block.id for block in whole.content if block.type == "tool_use"]
    results = [{**result, "tool_use_id": id} for result, id in zip(results, ids)]
    turn = client.messages.create(
        model=model, max_tokens=500, tools=[tool, listing], messages=[*history, {"role": "user", "content": results}]
    )
    assert turn.content[0].text == HELLO, turn


def image(model, simulator):
    simulator.behave()
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What is this?"}]
    client.messages.create(model=model, max_tokens=500, messages=[{"role": "user", "content": content}])
    sent = simulator.last()["messages"][0]["content"][0]
    expected = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    assert sent == (content[0] if model.startswith("claude") else expected), sent


def structured(model, simulator):
    simulator.behave(text='{"n": 3}')
    parsed = client.messages.parse(model=model, output_format=Count, **ask)
    assert parsed.parsed_output == Count(n=3), parsed
    sent = simulator.last()
    assert "output_config" in sent if model.startswith("claude") else sent["response_format"]["json_schema"]["strict"]


def errors(model, simulator):
    simulator.behave()
    error = raises(anthropic.NotFoundError, lambda: client.messages.create(model="no-such-model", **ask))
    assert error.body["error"]["type"] == "not_found_error" and error.request_id, error
    raises(anthropic.BadRequestError, lambda: client.messages.create(model=model, max_tokens=5, messages=[]))
    stranger = anthropic.Anthropic(base_url=url, api_key="wrong", max_retries=0)
    raises(anthropic.AuthenticationError, lambda: stranger.messages.create(model=model, **ask))
    simulator.behave(error_after_events=4)
    stream = client.messages.create(model=model, stream=True, **ask)
    error = raises(anthropic.APIStatusError, lambda: list(stream))
    assert error.body["type"] == "error", error.body


def cancellation(model, simulator):
    simulator.behave(text="many words " * 400, delay_ms=100)
    with client.messages.stream(model=model, **ask) as stream:
        next(iter(stream.text_stream))
    assert simulator.left_soon()


def retries(model, simulator):
    simulator.behave(fail={"status": 429, "retry_after": "1", "times": 1})
    patient = anthropic.Anthropic(base_url=url, api_key=token)
    assert patient.messages.create(model=model, **ask).content[0].text == HELLO


for model, simulator in (("gpt-4.1-mini", Simulator(openai_url)), ("claude-sonnet-4-5", Simulator(anthropic_url))):
    for case in (chat, streaming, tools, image, structured, errors, cancellation, retries):
        case(model, simulator)
models = [model.id for model in client.models.list()]
assert {"gpt-4.1-mini", "claude-sonnet-4-5"} <= set(models), models
counted = client.messages.count_tokens(model="claude-sonnet-4-5", messages=ask["messages"])
assert 0 < counted.input_tokens < 20, counted
print("OK")
