// OpenAI's JavaScript SDK transcribes through the server.

import assert from "node:assert/strict";
import OpenAI, { toFile } from "openai";
import { HELLO, Simulator } from "./simulators.mjs";

const [url, token, openaiURL] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: token, maxRetries: 0 });
const sound = () => toFile(Buffer.alloc(25600, 7), "a.mp3");
const create = async (options) => client.audio.transcriptions.create({ file: await sound(), ...options });

await new Simulator(openaiURL).behave();
assert.equal((await create({ model: "whisper-1" })).text, HELLO);
const verbose = await create({ model: "whisper-1", response_format: "verbose_json" });
assert.equal(verbose.duration, 8.47);
assert((await create({ model: "whisper-1", response_format: "srt" })).startsWith("1\n00:00"));
assert.equal((await create({ model: "gpt-4o-transcribe" })).usage.input_tokens, 90);

let text = "";
let last;
for await (const event of await create({ model: "gpt-4o-transcribe", stream: true })) {
  last = event;
  if (event.type === "transcript.text.delta") text += event.delta;
}
assert.deepEqual([text, last.type], [HELLO, "transcript.text.done"]);
await assert.rejects(() => create({ model: "no-such-model" }), (error) => error.status === 404 && error.code === "model_not_found");
console.log("OK");
