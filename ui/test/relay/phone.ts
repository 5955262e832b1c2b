/** A phone that is driven line by line: each line asks for one thing, the answer tells everything that came of it. */
import { createInterface } from "node:readline";
import { base64, fromBase64, RelayError, systemRandom } from "#client/relay/bytes.ts";
import type { HubListener } from "#client/relay/hub.ts";
import { fingerprint, generateKeys, publicKeys, sign } from "#client/relay/keys.ts";
import { relayDial } from "#client/relay/link.ts";
import { beginPairing, type Begun, type Waiting } from "#client/relay/pairing.ts";
import { enrolmentProof } from "#client/relay/server.ts";
import { fromQr, fromWords } from "#client/relay/words.ts";
import type { Link } from "#client/link.ts";

interface Line {
  do: string;
  text?: string;
  body?: string;
  phone?: string;
  desktop?: string;
  key?: string;
}

interface Outcome {
  boxes: string[];
  texts: string[];
  records: string[];
  opened: boolean;
  closed: boolean;
}
const empty = (): Outcome => ({ boxes: [], texts: [], records: [], opened: false, closed: false });

const keys = generateKeys(systemRandom);
let begun: Begun;
let waiting: Waiting;
let link: Link;
let listener: HubListener | undefined;
let out = empty();

const steps: Record<string, (line: Line) => object> = {
  keys: () => ({ noise: base64(publicKeys(keys).noise), link: base64(publicKeys(keys).link), fingerprint: fingerprint(publicKeys(keys)) }),
  pair: ({ text = "" }) => {
    begun = beginPairing(keys, text.includes("#") ? fromQr(text) : fromWords(text), "Pocket", systemRandom);
    return { body: base64(begun.first) };
  },
  second: ({ body = "" }) => {
    waiting = begun.answer(fromBase64(body));
    return { body: base64(waiting.third), digits: waiting.digits, fingerprint: fingerprint(waiting.desktop.keys) };
  },
  fourth: ({ body = "" }) => {
    const decision = waiting.decision(fromBase64(body));
    if (decision.type !== "accepted") return decision;
    const proof = sign(keys, enrolmentProof("https://relay.example", decision.certificate));
    return { type: "accepted", certificate: base64(decision.certificate), scopes: decision.scopes, proof: base64(proof) };
  },
  dial: ({ phone = "", desktop = "", key = "" }) => {
    const hub = {
      send: (_to: string, bytes: Uint8Array) => void out.boxes.push(base64(bytes)),
      listen: (to: HubListener) => {
        listener = to;
        return () => (listener = undefined);
      },
    };
    const dial = relayDial({ hub, keys, phone, desktop, desktopKey: fromBase64(key, 32), random: systemRandom, now: Date.now });
    link = dial({
      opened: () => void (out.opened = true),
      text: (text) => void out.texts.push(text),
      binary: (bytes) => void out.records.push(base64(bytes)),
      closed: () => void (out.closed = true),
    });
    return {};
  },
  box: ({ body = "", desktop = "" }) => (listener?.box(desktop, fromBase64(body)), {}),
  frame: ({ body = "" }) => (listener?.frame(fromBase64(body)), {}),
  say: ({ text = "" }) => (link.send(text), {}),
};

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line) as Line;
  out = empty();
  let answer: object;
  try {
    answer = steps[asked.do]?.(asked) ?? { error: "unknown" };
  } catch (error) {
    answer = { error: error instanceof RelayError ? error.reason : String(error) };
  }
  await new Promise((resolve) => setImmediate(resolve));
  process.stdout.write(`${JSON.stringify({ ...out, ...answer })}\n`);
}
process.exit(0);
