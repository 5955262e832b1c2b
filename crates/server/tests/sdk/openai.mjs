// The official `openai` package against our chat completions and responses; prints OK at the end.
// Arguments: the server's URL, token, URL of OpenAI's simulator, URL of Anthropic's.
import assert from "node:assert/strict";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { HELLO, PIXEL, Simulator, raises } from "./simulators.mjs";

const [url, token, openaiURL, anthropicURL] = process.argv.slice(2);
const settings = { baseURL: `${url}/v1`, apiKey: token };
const client = new OpenAI({ ...settings, maxRetries: 0 });
const ask = { input: "Say hello." };
const messages = [{ role: "user", content: "Say hello." }];
const Count = z.object({ n: z.number() });

async function chat(model, simulator) {
  await simulator.behave();
  const { data, response } = await client.responses.create({ model, ...ask }).withResponse();
  assert.equal(data.output_text, HELLO);
  assert(data.usage.total_tokens > 0 && response.headers.get("x-plantocode-audit"));
  const completion = await client.chat.completions.create({ model, messages });
  assert.equal(completion.choices[0].message.content, HELLO);
}

async function streaming(model, simulator) {
  await simulator.behave();
  let text = "";
  const stream = client.responses.stream({ model, ...ask });
  stream.on("response.output_text.delta", (event) => (text += event.delta));
  const final = await stream.finalResponse();
  assert.equal(text, HELLO);
  assert.equal(final.output_text, HELLO);
  const completion = await client.chat.completions.stream({ model, messages }).finalChatCompletion();
  assert.equal(completion.choices[0].message.content, HELLO);
}

async function tools(model, simulator) {
  await simulator.behave({ style: "tools" });
  const parameters = { type: "object", properties: { path: { type: "string" } } };
  const tools = ["read_file", "list_files"].map((name) => ({ type: "function", name, parameters, strict: false }));
  const whole = await client.responses.create({ model, tools, ...ask });
  const streamed = await client.responses.stream({ model, tools, ...ask }).finalResponse();
  for (const response of [whole, streamed]) {
    const calls = response.output.filter((item) => item.type === "function_call");
    assert.deepEqual(calls.map((call) => call.name), ["read_file", "list_files"]);
    assert.equal(calls[0].arguments, '{"path":"src/ä.rs"}');
  }
  await simulator.behave();
  const calls = whole.output.filter((item) => item.type === "function_call");
  const outputs = calls.map((call) => ({ type: "function_call_output", call_id: call.call_id, output: "x" }));
  const input = [{ role: "user", content: "Look." }, ...whole.output, ...outputs];
  assert.equal((await client.responses.create({ model, tools, input })).output_text, HELLO);
}

async function image(model, simulator) {
  await simulator.behave();
  const image_url = `data:image/png;base64,${PIXEL}`;
  const content = [{ type: "input_image", image_url, detail: "auto" }, { type: "input_text", text: "What?" }];
  await client.responses.create({ model, input: [{ role: "user", content }] });
  assert(JSON.stringify(await simulator.last()).includes(PIXEL));
}

async function structured(model, simulator) {
  await simulator.behave({ text: '{"n": 3}' });
  const response = await client.responses.parse({ model, text: { format: zodTextFormat(Count, "count") }, ...ask });
  assert.deepEqual(response.output_parsed, { n: 3 });
  const response_format = zodResponseFormat(Count, "count");
  const completion = await client.chat.completions.parse({ model, messages, response_format });
  assert.deepEqual(completion.choices[0].message.parsed, { n: 3 });
}

async function errors(model, simulator) {
  await simulator.behave();
  const missing = await raises(OpenAI.NotFoundError, () => client.responses.create({ model: "no-such-model", ...ask }));
  assert.equal(missing.code, "model_not_found");
  await raises(OpenAI.BadRequestError, () => client.responses.create({ model, input: [] }));
  const stranger = new OpenAI({ ...settings, apiKey: "wrong", maxRetries: 0 });
  await raises(OpenAI.AuthenticationError, () => stranger.responses.create({ model, ...ask }));
  await simulator.behave({ text: "many words ".repeat(40), error_after_events: 8 });
  let last;
  for await (const event of await client.responses.create({ model, stream: true, ...ask })) last = event;
  assert.equal(last.type, "response.failed");
  assert(last.response.error.code);
}

async function cancellation(model, simulator) {
  await simulator.behave({ text: "many words ".repeat(400), delay_ms: 100 });
  const stream = await client.responses.create({ model, stream: true, ...ask });
  for await (const event of stream) if (event.type === "response.output_text.delta") break;
  assert(await simulator.leftSoon());
  const controller = new AbortController();
  await simulator.behave({ first_delay_ms: 60000 });
  const waiting = client.responses.create({ model, ...ask }, { signal: controller.signal });
  setTimeout(() => controller.abort(), 500);
  await raises(OpenAI.APIUserAbortError, () => waiting);
  assert(await simulator.leftSoon());
}

async function retries(model, simulator) {
  await simulator.behave({ fail: { status: 429, retry_after: "1", times: 1 } });
  assert.equal((await new OpenAI(settings).responses.create({ model, ...ask })).output_text, HELLO);
}

for (const [model, of] of [["gpt-4.1-mini", openaiURL], ["gpt-5", openaiURL], ["claude-sonnet-4-5", anthropicURL]]) {
  for (const run of [chat, streaming, tools, image, structured, errors, cancellation, retries]) {
    await run(model, new Simulator(of));
  }
}
console.log("OK");
