import type { PhoneHub, PhoneWorld } from "#app/features/phone/world.ts";
import { systemRandom } from "#client/relay/bytes.ts";
import type { Presence } from "#client/relay/hub.ts";
import { generateKeys, memoryStore, publicKeys, type Pairing } from "#client/relay/keys.ts";
import type { FakeEngine } from "./engine.ts";

/** How a phone stands. */
export interface PhoneState {
  desktops: 0 | 1 | 3;
  scanned?: boolean;
  /** The desktop is not connected. */
  away?: boolean;
  refused?: boolean;
  /** The desktop has more output than has come. */
  behind?: boolean;
}

/** Fixed "randomness", so that a picture is the same each time. */
const steady = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 73 + 41) % 251);

const desktop = (n: number, name: string, over: Partial<Pairing> = {}): Pairing => ({
  origin: "https://plans.example", device: "phone", secret: steady(64), desktop: `desk${n}`, name, keys: publicKeys(generateKeys(() => steady(64).map((b) => b ^ n))), scopes: ["view"], ...over,
});

/** A phone whose server and desktop are in memory. */
export function phoneWorld(state: PhoneState, engine: FakeEngine): PhoneWorld {
  const all = [desktop(1, "lab"), desktop(2, "Workstation in the attic with a long name"), desktop(3, "build-server", { device: undefined, certificate: steady(40) })];
  const store = memoryStore();
  const keys = generateKeys(steady);
  if (state.desktops > 0) void store.save({ desktops: all.slice(0, state.desktops) });
  window.localStorage.setItem("plantocode.phone.seen.desk2", String(Date.now() - 5 * 3_600_000));
  const presence = new Map<string, Presence>([["desk1", { device: "desk1", name: "lab", kind: "desktop", online: !state.away }]]);
  const hub: PhoneHub = {
    status: state.refused ? "refused" : "online", presence,
    watch: () => () => {}, redialNow: () => {}, followPage: () => () => {}, close: () => {}, send: () => {}, listen: () => () => {},
  };
  return {
    store, storage: window.localStorage, origin: "https://plans.example", name: "Chrome on Android", random: systemRandom, now: Date.now,
    code: state.scanned ? { origin: "https://plans.example", desktop: steady(32), secret: steady(16) } : undefined,
    pair: ({ met, signal }) => new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(new Error("The pairing was given up.")));
      met({ device: "desk1", name: "lab", keys: publicKeys(keys) }, "428113");
    }),
    enroll: () => new Promise(() => {}),
    hub: () => hub,
    dial: ({ head }) => (handlers) => {
      if (state.away) {
        queueMicrotask(() => handlers.closed());
        return { send: () => {}, close: () => {} };
      }
      if (state.behind) for (let stream = 1; stream < 64; stream++) head?.(stream, 1 << 20);
      return engine.dial(handlers);
    },
  };
}
