// The official `@anthropic-ai/sdk` against our server; prints OK at the end.
// Arguments: the server's URL, token, URL of OpenAI's simulator, URL of Anthropic's.
import assert from "node:assert/strict";
import Anthropic from "@anthropic-ai/sdk";
import { HELLO, PIXEL, Simulator, raises } from "./simulators.mjs";

const [baseURL, token, openaiURL, anthropicURL] = process.argv.slice(2);
const client = new Anthropic({ baseURL, apiKey: token, maxRetries: 0 });
const ask = { max_tokens: 500, messages: [{ role: "user", content: "Say hello." }] };

async function chat(model, simulator) {
  await simulator.behave();
  const { data, response } = await client.messages.create({ model, ...ask }).withResponse();
  assert.equal(data.content[0].text, HELLO);
  assert.equal(data.stop_reason, "end_turn");
  assert(data.usage.input_tokens > 0 && data._request_id && response.headers.get("x-plantocode-audit"));
}

async function streaming(model, simulator) {
  await simulator.behave();
  let text = "";
  const final = await client.messages
    .stream({ model, ...ask })
    .on("text", (piece) => (text += piece))
    .finalMessage();
  assert.equal(text, HELLO);
  assert.equal(final.content[0].text, HELLO);
  assert(final.usage.output_tokens > 0);
}

async function tools(model, simulator) {
  await simulator.behave({ style: "tools" });
  const input_schema = { type: "object", properties: { path: { type: "string" } } };
  const settings = { tools: ["read_file", "list_files"].map((name) => ({ name, input_schema })) };
  const whole = await client.messages.create({ model, ...settings, ...ask });
  const streamed = await client.messages.stream({ model, ...settings, ...ask }).finalMessage();
  for (const message of [whole, streamed]) {
    const calls = message.content.filter((block) => block.type === "tool_use");
    assert.deepEqual(
      calls.map((call) => [call.name, call.input]),
      [["read_file", { path: "src/ä.rs" }], ["list_files", {}]],
    );
    assert.equal(message.stop_reason, "tool_use");
  }
  await simulator.behave();
  const calls = streamed.content.filter((block) => block.type === "tool_use");
  const content = calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: "x" }));
  const messages = [...ask.messages, { role: "assistant", content: streamed.content }, { role: "user", content }];
  const turn = await client.messages.create({ model, max_tokens: 500, ...settings, messages });
  assert.equal(turn.content[0].text, HELLO);
}

async function image(model, simulator) {
  await simulator.behave();
  const source = { type: "base64", media_type: "image/png", data: PIXEL };
  const content = [{ type: "image", source }, { type: "text", text: "What is this?" }];
  await client.messages.create({ model, max_tokens: 500, messages: [{ role: "user", content }] });
  assert(JSON.stringify((await simulator.last()).messages[0].content[0]).includes(PIXEL));
}

async function structured(model, simulator) {
  await simulator.behave({ text: '{"n": 3}' });
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"], additionalProperties: false };
  const message = await client.messages.create({ model, output_config: { format: { type: "json_schema", schema } }, ...ask });
  assert.equal(JSON.parse(message.content[0].text).n, 3);
  const sent = await simulator.last();
  assert.deepEqual(sent.output_config?.format.schema ?? sent.response_format.json_schema.schema, schema);
}

async function errors(model, simulator) {
  await simulator.behave();
  const missing = await raises(Anthropic.NotFoundError, () => client.messages.create({ model: "no-such-model", ...ask }));
  assert.equal(missing.error.error.type, "not_found_error");
  assert(missing.requestID);
  await raises(Anthropic.BadRequestError, () => client.messages.create({ model, max_tokens: 5, messages: [] }));
  const stranger = new Anthropic({ baseURL, apiKey: "wrong", maxRetries: 0 });
  await raises(Anthropic.AuthenticationError, () => stranger.messages.create({ model, ...ask }));
  await simulator.behave({ error_after_events: 4 });
  await raises(Anthropic.APIError, () => client.messages.stream({ model, ...ask }).finalMessage());
}

async function cancellation(model, simulator) {
  await simulator.behave({ text: "many words ".repeat(400), delay_ms: 100 });
  const stream = await client.messages.create({ model, stream: true, ...ask });
  for await (const event of stream) if (event.type === "content_block_delta") break;
  assert(await simulator.leftSoon());
  const controller = new AbortController();
  await simulator.behave({ first_delay_ms: 60000 });
  const waiting = client.messages.create({ model, ...ask }, { signal: controller.signal });
  setTimeout(() => controller.abort(), 500);
  await raises(Anthropic.APIUserAbortError, () => waiting);
  assert(await simulator.leftSoon());
}

async function retries(model, simulator) {
  await simulator.behave({ fail: { status: 429, retry_after: "1", times: 1 } });
  const patient = new Anthropic({ baseURL, apiKey: token });
  assert.equal((await patient.messages.create({ model, ...ask })).content[0].text, HELLO);
}

for (const [model, url] of [["gpt-4.1-mini", openaiURL], ["claude-sonnet-4-5", anthropicURL]]) {
  for (const run of [chat, streaming, tools, image, structured, errors, cancellation, retries]) {
    await run(model, new Simulator(url));
  }
}
console.log("OK");
