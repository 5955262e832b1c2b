// An independent JSON-RPC 2.0 client calls unary methods of `plantocode serve`. Arguments: the token file, a folder.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { JSONRPCClient } from "json-rpc-2.0";
import WebSocket from "ws";

const [tokenFile, folder] = process.argv.slice(2);
const { url, token } = JSON.parse(readFileSync(tokenFile, "utf8"));
const address = `${url.replace("http", "ws")}api/socket`;

await assert.rejects(
  new Promise((resolve, reject) => new WebSocket(address, "plantocode.v1").on("open", resolve).on("error", reject)),
  /403/,
  "without the token nobody gets in",
);

const socket = new WebSocket(address, "plantocode.v1", { headers: { authorization: `Bearer ${token}` } });
await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
const client = new JSONRPCClient((request) => socket.send(JSON.stringify(request)));
socket.on("message", (text) => client.receive(JSON.parse(text.toString())));

const greeting = await client.request("system.hello", { api: 1, client: "a generic client" });
assert.equal(greeting.api, 1);
assert.ok(greeting.scopes.includes("edit"));

// Calls at once, each with its own answer.
const [projects, jobs] = await Promise.all([client.request("projects.list", {}), client.request("jobs.list", {})]);
assert.deepEqual([projects.projects, jobs.jobs], [[], []]);

const project = await client.request("projects.grant", { path: folder });
const session = await client.request("sessions.create", { project: project.id, task: "Retry „send“" });
assert.equal((await client.request("sessions.get", { session: session.id })).task, "Retry „send“");
const saved = await client.request("sessions.save_task", { session: session.id, text: "Another", base_version: session.task_version });
assert.equal(saved.task, "Another");

// An error has JSON-RPC's form, and says in its data what it is.
const failed = async (method, params) => {
  const answer = await client.requestAdvanced({ jsonrpc: "2.0", id: `own-${method}`, method, params });
  return [answer.error.code, answer.error.data.code, answer.error.data.reason, answer.error.message.length > 10];
};
assert.deepEqual(await failed("sessions.get", { session: "nothing" }), [-32003, "not_found", "no_session", true]);
assert.deepEqual(await failed("sessions.nothing", {}), [-32003, "not_found", "unknown_method", true]);
assert.deepEqual(await failed("sessions.get", { other: 1 }), [-32000, "invalid", "malformed", true]);
assert.deepEqual(
  await failed("sessions.save_task", { session: session.id, text: "Late", base_version: session.task_version }),
  [-32004, "conflict", "task_changed", true],
);

// A key makes a repeat harmless.
const keyed = { jsonrpc: "2.0", method: "sessions.create", params: { project: project.id, task: "Once" }, key: "b6e1-drawn-at-random" };
const first = await client.requestAdvanced({ ...keyed, id: "first" });
const again = await client.requestAdvanced({ ...keyed, id: "again" });
assert.deepEqual(again.result, first.result);
assert.equal((await client.request("sessions.list", {})).sessions.length, 2);

// What is no frame is answered under the id null, and the connection goes on.
const unread = new Promise((resolve) => socket.once("message", (text) => resolve(JSON.parse(text.toString()))));
socket.send("{");
assert.deepEqual([(await unread).id, (await unread).error.data.reason], [null, "malformed_frame"]);
await client.request("sessions.delete", { session: session.id });

socket.close();
console.log("OK");
