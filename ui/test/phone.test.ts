import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOf, deviceName, takeCode } from "#app/features/phone/address.ts";
import { readWords } from "#app/features/phone/WordsField.tsx";
import { keysOf, newSecret, patientDial, recall, whenBack, withDesktop, withoutDesktop, type PhoneHub, type PhoneWorld } from "#app/features/phone/world.ts";
import { fingerprint, generateKeys, memoryStore, publicKeys, type Pairing } from "#client/relay/keys.ts";
import { toQr, toWords } from "#client/relay/words.ts";

const steady = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 37 + 11) % 256);
const key = steady(32);
const secret = steady(16);

test("the code of an address is read, and leaves it at once", () => {
  const address = toQr("https://plans.example", key, secret);
  const hash = address.slice(address.indexOf("#"));
  assert.deepEqual(codeOf("https://plans.example", hash), { origin: "https://plans.example", desktop: key, secret });
  for (const other of ["", "#/terminals", "#v1.", "#v1.abc.def", `${hash}x`, hash.slice(0, -1), hash.replace("v1", "v2")]) {
    assert.equal(codeOf("https://plans.example", other), undefined, other);
  }
  const history: string[] = [];
  const page = (at: string) => ({ location: { origin: "https://plans.example", hash: at }, history: { replaceState: (_: unknown, __: string, to: string) => void history.push(to) } }) as unknown as Window;
  assert.deepEqual(takeCode(page(hash))?.secret, secret);
  assert.deepEqual(history, ["/phone/"]);
  assert.equal(takeCode(page("#v1.damaged")), undefined);
  assert.equal(history.length, 2, "a damaged secret does not stay in the address either");
  takeCode(page("#/jobs"));
  assert.equal(history.length, 2);
});

test("words are counted while they are typed", () => {
  const words = toWords(secret).split(" ");
  assert.deepEqual(readWords(""), { count: 0, begun: "", unknown: undefined });
  assert.deepEqual(readWords(words.join(" ")), { count: 12, begun: words[11], unknown: undefined });
  assert.deepEqual(readWords(`  ${words.slice(0, 3).join("\n").toUpperCase()} `), { count: 3, begun: "", unknown: undefined });
  assert.deepEqual(readWords(`${words[0]} zeb`), { count: 1, begun: "zeb", unknown: undefined });
  assert.equal(readWords("qqq").unknown, "qqq");
  assert.equal(readWords("abando ").unknown, "abando");
});

test("a browser is named as people know it", () => {
  assert.equal(deviceName("Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36"), "Chrome on Android");
  assert.equal(deviceName("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"), "Safari on iPhone");
  assert.equal(deviceName("Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0"), "Firefox on Android");
  assert.equal(deviceName(""), "Browser");
});

test("each pairing has keys of its own, and a desktop paired again takes its own place", async () => {
  let drawn = 0;
  const world = { store: memoryStore(), random: (length: number) => steady(length).fill(++drawn, 0, 4) } as unknown as PhoneWorld;
  const fresh = await recall(world);
  assert.deepEqual(fresh, { desktops: [] });
  const pairing = (desktop: string): Pairing => ({ origin: "https://a.example", secret: newSecret(world), desktop, name: desktop, keys: publicKeys(generateKeys(steady)), scopes: ["view"] });
  const one = pairing("d1");
  await world.store.save(withDesktop(withDesktop(fresh, one), pairing("d2")));
  const known = await recall(world);
  assert.deepEqual(known.desktops.map((d) => d.desktop), ["d2", "d1"]);
  const again = withDesktop(withoutDesktop(known, "d1"), { ...pairing("d1"), device: "p1" });
  assert.deepEqual(again.desktops.map((d) => [d.desktop, d.device]), [["d1", "p1"], ["d2", undefined]]);
  const prints = new Set([...again.desktops, one].map((d) => fingerprint(publicKeys(keysOf(d)))));
  assert.equal(prints.size, 3, "the same server, the same desktop: other keys");
  assert.deepEqual(withoutDesktop(again, "d1").desktops.map((d) => d.desktop), ["d2"]);
  assert.deepEqual(again.desktops[1]?.secret, known.desktops[0]?.secret, "a pairing keeps its own");
});

test("what an earlier build kept goes on with the secret that it had", async () => {
  const before = { origin: "https://a.example", device: "p1", desktop: "d1", name: "lab", keys: publicKeys(generateKeys(steady)), scopes: ["view"] };
  const store = { ...memoryStore(), load: () => Promise.resolve({ secret: steady(64), desktops: [before] }) };
  const world = { store, random: steady } as unknown as PhoneWorld;
  assert.deepEqual(await recall(world), { desktops: [{ ...before, secret: steady(64) }] });
});

test("a session is begun when the server is there, not before", async () => {
  const watchers = new Set<() => void>();
  const hub = { status: "connecting", watch: (n: () => void) => (watchers.add(n), () => void watchers.delete(n)) } as unknown as PhoneHub & { status: string };
  let begun = 0;
  const handlers = { opened: () => {}, text: () => {}, binary: () => {}, closed: () => void (closed += 1) };
  let closed = 0;
  const dial = patientDial(hub, () => (begun++, { send: () => {}, close: () => {} }));
  dial(handlers);
  await Promise.resolve();
  assert.equal(begun, 0);
  hub.status = "online";
  for (const notify of [...watchers]) notify();
  for (const notify of [...watchers]) notify();
  assert.deepEqual([begun, watchers.size], [1, 0]);
  hub.status = "lost";
  const given = dial(handlers);
  given.close();
  given.close();
  await Promise.resolve();
  hub.status = "online";
  for (const notify of [...watchers]) notify();
  assert.deepEqual([begun, closed], [1, 1]);
});

test("a desktop that comes back is noticed once, whether it or the server was away", () => {
  const watchers = new Set<() => void>();
  const presence = new Map<string, { online: boolean }>();
  const hub = { status: "online", presence, watch: (n: () => void) => (watchers.add(n), () => void watchers.delete(n)) } as unknown as PhoneHub & { status: string };
  let came = 0;
  const unwatch = whenBack(hub, "d1", () => void (came += 1));
  const counted = (change: () => void) => {
    change();
    for (let i = 0; i < 2; i++) for (const notify of [...watchers]) notify();
    return came;
  };
  assert.equal(counted(() => presence.set("d2", { online: true })), 0);
  assert.equal(counted(() => presence.set("d1", { online: true })), 1);
  assert.equal(counted(() => presence.set("d1", { online: false })), 1);
  assert.equal(counted(() => presence.set("d1", { online: true })), 2);
  assert.equal(counted(() => (hub.status = "lost")), 2);
  assert.equal(counted(() => (hub.status = "online")), 3);
  unwatch();
  assert.equal(watchers.size, 0);
});
