import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ed25519 } from "@noble/curves/ed25519.js";
import { base64, fromBase64, utf8 } from "#client/relay/bytes.ts";
import { Hub, type Socket } from "#client/relay/hub.ts";
import { keysFromSecret, memoryStore, publicKeys } from "#client/relay/keys.ts";
import { pair } from "#client/relay/mailbox.ts";
import { registrationProof, ticketProof } from "#client/relay/server.ts";

const ORIGIN = "https://relay.example";
const keys = keysFromSecret(new Uint8Array(64).fill(3));
const nonce = new Uint8Array(32).fill(7);

class FakeSocket implements Socket {
  binaryType = "";
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onerror: Socket["onerror"] = null;
  onclose: Socket["onclose"] = null;
  sent: Record<string, unknown>[] = [];
  closed = false;
  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {}
  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }
  close(): void {
    this.closed = true;
  }
  say(envelope: object): void {
    this.onmessage?.({ data: JSON.stringify(envelope) });
  }
  lose(): void {
    this.onclose?.(undefined as never);
  }
  of(type: string): Record<string, unknown>[] {
    return this.sent.filter((envelope) => envelope.type === type);
  }
}

const settle = async () => {
  for (let i = 0; i < 60; i++) await Promise.resolve();
};

function world(answer: (url: string) => Response = ticketed) {
  const sockets: FakeSocket[] = [];
  const asked: { url: string; body: Record<string, unknown> }[] = [];
  const open = (url: string, protocols: string[]) => {
    const socket = new FakeSocket(url, protocols);
    sockets.push(socket);
    return socket;
  };
  const fetch = (url: string, init: RequestInit) => {
    asked.push({ url, body: JSON.parse(String(init.body)) as Record<string, unknown> });
    return Promise.resolve(answer(url));
  };
  const random = (length: number) => new Uint8Array(length).fill(128);
  const hub = new Hub({ origin: ORIGIN, device: "phone-1", keys, fetch, open, random, now: () => 0 });
  return { hub, sockets, asked, last: () => sockets.at(-1) as FakeSocket };
}

function ticketed(url: string): Response {
  return Response.json(url.endsWith("challenge") ? { nonce: base64(nonce) } : { ticket: "t-1", account: "a" });
}

const challenge = { type: "challenge", nonce: base64(nonce), generation: 4, account: "a", tokenId: "t" };
const registered = (more: object = {}) => ({
  type: "registered", linkId: "l", generation: 4, resumeToken: "r", resumed: false, received: 0, heartbeatMs: 15_000, expiresInMs: 900_000, ...more,
});

test("it proves its key for the ticket and for the link", async () => {
  const { hub, asked, last } = world();
  await settle();
  const { signature } = asked[1]?.body as { signature: string };
  assert.ok(ed25519.verify(fromBase64(signature), ticketProof(ORIGIN, "phone-1", nonce), publicKeys(keys).link));
  assert.equal(last().url, "wss://relay.example/ws/device-link");
  assert.deepEqual(last().protocols, ["plantocode.link.v1", "ticket.t-1"]);
  last().say(challenge);
  const register = last().of("register")[0] as { signature: string };
  const proof = registrationProof({ origin: ORIGIN, account: "a", device: "phone-1", generation: 4, nonce, tokenId: "t" });
  assert.ok(ed25519.verify(fromBase64(register.signature), proof, publicKeys(keys).link));
  last().say(registered());
  assert.equal(hub.status, "online");
  hub.close();
});

test("what was not confirmed is sent again, and what comes twice is taken once", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { hub, sockets, last } = world();
  const boxes: string[] = [];
  hub.listen({ box: (_, bytes) => void boxes.push(String(bytes)), frame() {}, undelivered() {}, gap() {} });
  hub.send("d", utf8("1"));
  await settle();
  last().say(challenge);
  last().say(registered());
  hub.send("d", utf8("2"));
  assert.deepEqual(last().of("sealed").map((e) => e.seq), [1, 2]);
  last().say({ type: "received", upTo: 1 });
  last().say({ type: "sealed", from: "d", n: 1, box: base64(utf8("x")) });
  last().lose();
  assert.equal(hub.status, "lost");
  mock.timers.tick(500);
  await settle();
  assert.equal(sockets.length, 2);
  last().say(challenge);
  assert.deepEqual(last().of("register")[0]?.resume, { token: "r", received: 1 });
  last().say(registered({ resumed: true, received: 1 }));
  assert.deepEqual(last().of("sealed").map((e) => e.seq), [2]);
  last().say({ type: "sealed", from: "d", n: 1, box: base64(utf8("x")) });
  last().say({ type: "sealed", from: "d", n: 2, box: base64(utf8("y")) });
  assert.deepEqual(boxes, [String(utf8("x")), String(utf8("y"))]);
  // A hub that forgot: the count begins again.
  last().lose();
  mock.timers.tick(10_000);
  await settle();
  last().say(challenge);
  last().say(registered());
  assert.deepEqual(last().of("sealed").map((e) => e.seq), [1]);
  hub.close();
  mock.timers.reset();
});

test("silence is noticed, and becoming visible dials at once", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { hub, sockets, last } = world();
  await settle();
  last().say(challenge);
  last().say(registered());
  mock.timers.tick(15_000);
  assert.equal(last().of("heartbeat").length, 1);
  last().say({ type: "heartbeat" });
  mock.timers.tick(15_000);
  mock.timers.tick(10_000);
  assert.equal(hub.status, "lost");
  hub.redialNow();
  await settle();
  assert.equal(sockets.length, 2);
  assert.ok(sockets[0]?.closed);
  // A late word of the old socket changes nothing.
  sockets[0]?.lose();
  assert.equal(hub.status, "connecting");
  // A dial that nobody answers ends after five seconds.
  mock.timers.tick(5_000);
  assert.equal(hub.status, "lost");
  hub.close();
  mock.timers.reset();
});

test("a desktop that is away is told at once, and a removed phone stops dialling", async () => {
  const { hub, last } = world();
  const away: string[] = [];
  hub.listen({ box() {}, frame() {}, undelivered: (to) => void away.push(to), gap() {} });
  await settle();
  last().say(challenge);
  last().say(registered());
  hub.send("d", utf8("1"));
  last().say({ type: "error", code: "unavailable", message: "Away.", ref: 1 });
  assert.deepEqual(away, ["d"]);
  last().say({ type: "revoked" });
  assert.equal(hub.status, "refused");
  const refused = world(() => new Response("", { status: 403 }));
  await settle();
  assert.equal(refused.hub.status, "refused");
});

test("a challenge that was too old is asked for again, once", async () => {
  let tickets = 0;
  const { hub, sockets } = world((url) => (url.endsWith("ticket") && tickets++ === 0 ? new Response("", { status: 401 }) : ticketed(url)));
  await settle();
  assert.deepEqual([hub.status, sockets.length], ["connecting", 1]);
  hub.close();
  const unknown = world((url) => (url.endsWith("ticket") ? new Response("", { status: 401 }) : ticketed(url)));
  await settle();
  assert.equal(unknown.hub.status, "refused");
});

test("a mailbox that closes ends the pairing with a reason", async () => {
  let socket: FakeSocket | undefined;
  const open = (url: string, protocols: string[]) => (socket = new FakeSocket(url, protocols));
  const code = { secret: new Uint8Array(16).fill(1) };
  const pairing = pair({ origin: ORIGIN, code, keys, name: "p", random: (n) => new Uint8Array(n).fill(5), open, met() {} });
  assert.deepEqual([socket?.url, socket?.protocols], ["wss://relay.example/ws/pairing", ["plantocode.pairing.v1"]]);
  socket?.onopen?.(undefined as never);
  assert.deepEqual(socket?.sent.map((e) => e.type), ["pairing_join", "pairing"]);
  socket?.say({ type: "pairing_closed", reason: "expired" });
  await assert.rejects(pairing, { reason: "refused" });
  assert.ok(socket?.closed);
});

test("what is remembered comes back", async () => {
  const store = memoryStore();
  assert.equal(await store.load(), undefined);
  const desktop = { origin: ORIGIN, secret: new Uint8Array(64).fill(1), desktop: "d1", name: "lab", keys: publicKeys(keys), scopes: ["view"] };
  await store.save({ desktops: [desktop] });
  assert.deepEqual(await store.load(), { desktops: [desktop] });
  await store.clear();
  assert.equal(await store.load(), undefined);
});
