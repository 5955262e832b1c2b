import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, Rpc } from "#client/rpc.ts";

function open() {
  const sent: { id?: number; method: string; params: Record<string, unknown> }[] = [];
  const rpc = new Rpc((text) => sent.push(JSON.parse(text)));
  const receive = (body: object) => rpc.receive(JSON.stringify({ jsonrpc: "2.0", ...body }));
  return { sent, rpc, receive };
}

test("a call gets its own answer, whatever the order", async () => {
  const { rpc, receive, sent } = open();
  const first = rpc.call("projects.list", {});
  const second = rpc.call("jobs.list", {});
  assert.deepEqual(sent.map((f) => [f.id, f.method]), [[1, "projects.list"], [2, "jobs.list"]]);
  receive({ id: 2, result: { jobs: [] } });
  receive({ id: 1, result: { projects: [] } });
  assert.deepEqual(await first, { projects: [] });
  assert.deepEqual(await second, { jobs: [] });
});

test("an error keeps code, reason, parameters and message", async () => {
  const { rpc, receive } = open();
  const call = rpc.call("projects.grant", { path: "x" });
  receive({ id: 1, error: { code: -32000, message: "Not a folder.", data: { code: "invalid", reason: "not_a_folder", params: { path: "x" } } } });
  await assert.rejects(call, (e: ApiError) => e.code === "invalid" && e.reason === "not_a_folder" && e.params["path"] === "x" && e.message === "Not a folder.");
});

test("credit is granted for what was consumed, in halves of the initial credit", () => {
  const { rpc, receive, sent } = open();
  const seen: unknown[] = [];
  rpc.subscribe("events.watch", {}, { item: (c) => seen.push(c), end: () => {} });
  for (let seq = 0; seq < 70; seq++) receive({ method: "$/item", params: { id: 1, seq, value: { topic: "job", id: String(seq) } } });
  assert.equal(seen.length, 70);
  const grants = sent.filter((f) => f.method === "$/credit").map((f) => f.params);
  assert.deepEqual(grants, [{ id: 1, n: 32 }, { id: 1, n: 32 }]);
});

test("canceling a stream tells the engine once and silences the stream", () => {
  const { rpc, receive, sent } = open();
  let items = 0;
  let ends = 0;
  const stop = rpc.subscribe("plans.watch", { plan: "p" }, { item: () => items++, end: () => ends++ });
  stop();
  stop();
  receive({ method: "$/item", params: { id: 1, seq: 0, value: {} } });
  receive({ method: "$/end", params: { id: 1, error: { message: "Canceled.", data: { code: "canceled" } } } });
  assert.deepEqual(sent.slice(1), [{ jsonrpc: "2.0", method: "$/cancel", params: { id: 1 } }]);
  assert.deepEqual([items, ends], [0, 0]);
});

test("an item that cancels its own stream is not followed by a grant", () => {
  const { rpc, receive, sent } = open();
  let n = 0;
  const stop = rpc.subscribe("events.watch", {}, { item: () => void (++n === 32 && stop()), end: () => {} });
  for (let seq = 0; seq < 32; seq++) receive({ method: "$/item", params: { id: 1, seq, value: {} } });
  assert.deepEqual(sent.slice(1).map((f) => f.method), ["$/cancel"]);
});

test("aborting a unary call rejects at once and cancels it", async () => {
  const { rpc, sent } = open();
  const abort = new AbortController();
  const call = rpc.call("jobs.list", {}, abort.signal);
  abort.abort();
  await assert.rejects(call, (e: ApiError) => e.code === "canceled");
  assert.equal(sent.at(-1)?.method, "$/cancel");
});

test("a stream that the router refuses ends with the router's error", () => {
  const { rpc, receive } = open();
  let ended: ApiError | undefined;
  rpc.subscribe("plans.watch", { plan: "p" }, { item: () => {}, end: (e) => (ended = e) });
  receive({ id: 1, error: { code: -32002, message: "Not allowed.", data: { code: "forbidden", reason: "scope" } } });
  assert.equal(ended?.code, "forbidden");
});

test("a lost link fails what is open and everything later", async () => {
  const { rpc, sent } = open();
  let ended: ApiError | undefined;
  const call = rpc.call("jobs.list", {});
  rpc.subscribe("events.watch", {}, { item: () => {}, end: (e) => (ended = e) });
  rpc.close();
  await assert.rejects(call, (e: ApiError) => e.reason === "link_closed");
  assert.equal(ended?.reason, "link_closed");
  await assert.rejects(rpc.call("jobs.list", {}), (e: ApiError) => e.reason === "link_closed");
  assert.equal(sent.length, 2);
});

test("frames that are not ours are ignored", () => {
  const { rpc } = open();
  rpc.receive("{");
  rpc.receive('{"jsonrpc":"2.0","id":99,"result":1}');
  rpc.receive('{"jsonrpc":"2.0","method":"$/item","params":{"id":5,"seq":0,"value":1}}');
});

test("a feed's records carry epoch, offset and bytes, and credit counts bytes", () => {
  const { rpc, receive, sent } = open();
  const records: unknown[] = [];
  let ended: ApiError | undefined;
  const feed = rpc.feed("terminals.attach", { terminal: "t", have: 0, window: 1024 }, {
    record: (r) => records.push([r.kind, r.epoch, r.offset, new TextDecoder().decode(r.bytes)]),
    end: (error) => (ended = error),
  });
  const message = new Uint8Array(23);
  const view = new DataView(message.buffer);
  view.setUint32(0, 1);
  view.setUint8(4, 3);
  view.setBigUint64(5, 18446744073709551614n);
  view.setBigUint64(13, 1n << 40n);
  message.set([97, 98], 21);
  rpc.receiveRecord(message);
  rpc.receiveRecord(message.subarray(0, 20));
  assert.deepEqual(records, [[3, "18446744073709551614", 2 ** 40, "ab"]]);
  feed.consume(2);
  assert.deepEqual(sent.at(-1), { jsonrpc: "2.0", method: "$/credit", params: { id: 1, n: 2 } } as never);
  receive({ method: "$/end", params: { id: 1, error: { code: -32007, message: "The terminal host has ended.", data: { code: "unavailable", reason: "host" } } } });
  assert.equal(ended?.reason, "host");
  feed.consume(2);
  feed.cancel();
  rpc.receiveRecord(message);
  assert.equal(records.length, 1);
  assert.equal(sent.at(-1)?.method, "$/credit");
  assert.equal(sent.filter((f) => f.method === "$/cancel").length, 0);
});
