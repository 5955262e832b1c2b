"""The official `openai` SDK against our responses; prints OK at the end.

Arguments: the server's URL, token, URL of OpenAI's simulator, URL of Anthropic's."""

import sys

import openai
import pydantic

from simulators import HELLO, PIXEL, Simulator, raises

url, token, openai_url, anthropic_url = sys.argv[1:]
client = openai.OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0)
ask = {"input": "Say hello."}


class Count(pydantic.BaseModel):
    n: int


def chat(model, simulator):
    simulator.behave()
    response = client.responses.create(model=model, instructions="Be brief.", **ask)
    assert response.output_text == HELLO and response.status == "completed", response
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens > 0, response
    raw = client.responses.with_raw_response.create(model=model, **ask)
    assert raw.headers["x-plantocode-audit"] and raw.headers["x-request-id"]


def streaming(model, simulator):
    simulator.behave()
    with client.responses.stream(model=model, **ask) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == HELLO == final.output_text and final.usage.total_tokens > 0, final


def tools(model, simulator):
    simulator.behave(style="tools")
    schema = {"type": "object", "properties": {"path": {"type": "string"}}}
    named = [{"type": "function", "name": name, "parameters": schema, "strict": False} for name in ("read_file", "list_files")]
    whole = client.responses.create(model=model, tools=named, tool_choice="required", **ask)
    with client.responses.stream(model=model, tools=named, **ask) as stream:
        streamed = stream.get_final_response()
    for response in (whole, streamed):
        calls = [item for item in response.output if item.type == "function_call"]
        assert [call.name for call in calls] == ["read_file", "list_files"], response
        assert calls[0].arguments == '{"path":"src/ä.rs"}' and calls[1].arguments in ("{}", ""), response
    simulator.behave()
    answers = [{"type": "function_call_output", "call_id": call.call_id, "output": "x"} for call in calls]
    history = [{"role": "user", "content": "Look."}, *streamed.output, *answers]
    assert client.responses.create(model=model, tools=named, input=history).output_text == HELLO


def image(model, simulator):
    simulator.behave()
    address = f"data:image/png;base64,{PIXEL}"
    content = [{"type": "input_image", "image_url": address, "detail": "low"}, {"type": "input_text", "text": "What?"}]
    client.responses.create(model=model, input=[{"role": "user", "content": content}])
    sent = simulator.last()
    if model == "gpt-5":
        assert sent["input"][0]["content"] == content, sent
    elif model == "gpt-4.1-mini":
        assert sent["messages"][0]["content"][0]["image_url"] == {"url": address, "detail": "low"}, sent
    else:
        assert sent["messages"][0]["content"][0]["source"]["data"] == PIXEL, sent


def structured(model, simulator):
    simulator.behave(text='{"n": 3}')
    assert client.responses.parse(model=model, text_format=Count, **ask).output_parsed == Count(n=3)
    completion = client.chat.completions.parse(
        model=model, messages=[{"role": "user", "content": "Count."}], response_format=Count
    )
    assert completion.choices[0].message.parsed == Count(n=3), completion


def errors(model, simulator):
    simulator.behave()
    error = raises(openai.NotFoundError, lambda: client.responses.create(model="no-such-model", **ask))
    assert error.code == "model_not_found" and error.request_id, error
    raises(openai.BadRequestError, lambda: client.responses.create(model=model, input=[]))
    error = raises(openai.BadRequestError, lambda: client.responses.create(model=model, previous_response_id="r", **ask))
    assert error.code == "unsupported", error
    stranger = openai.OpenAI(base_url=f"{url}/v1", api_key="wrong", max_retries=0)
    raises(openai.AuthenticationError, lambda: stranger.responses.create(model=model, **ask))
    simulator.behave(text="many words " * 40, error_after_events=8)
    last = list(client.responses.create(model=model, stream=True, **ask))[-1]
    assert last.type == "response.failed" and last.response.error.code, last


def cancellation(model, simulator):
    simulator.behave(text="many words " * 400, delay_ms=100)
    stream = client.responses.create(model=model, stream=True, **ask)
    next(event for event in stream if event.type == "response.output_text.delta")
    stream.close()
    assert simulator.left_soon()


def retries(model, simulator):
    simulator.behave(fail={"status": 429, "retry_after": "1", "times": 1})
    patient = openai.OpenAI(base_url=f"{url}/v1", api_key=token)
    assert patient.responses.create(model=model, **ask).output_text == HELLO


simulators = Simulator(openai_url), Simulator(anthropic_url)
for model, simulator in (
    ("gpt-4.1-mini", simulators[0]),
    ("gpt-5", simulators[0]),
    ("claude-sonnet-4-5", simulators[1]),
):
    for case in (chat, streaming, tools, image, structured, errors, cancellation, retries):
        case(model, simulator)
print("OK")
