import type { Dial } from "#client/link.ts";
import type { Hub, HubListener } from "#client/relay/hub.ts";
import { generateKeys, keysFromSecret, keysToSecret, today, type DeviceKeys, type KeyStore, type Pairing, type Remembered } from "#client/relay/keys.ts";
import type { RelayDialOptions } from "#client/relay/link.ts";
import type { PairingOptions } from "#client/relay/mailbox.ts";
import type { Decision, MetDesktop } from "#client/relay/pairing.ts";
import type { Random } from "#client/relay/bytes.ts";
import type { PairingCode } from "#client/relay/words.ts";

/** What is used of a `Hub`. */
export interface PhoneHub extends Pick<Hub, "status" | "presence" | "watch" | "redialNow" | "followPage" | "close"> {
  send(to: string, bytes: Uint8Array): void;
  listen(listener: HubListener): () => void;
}

/** Everything outside of the page, so that a test can give its own. */
export interface PhoneWorld {
  store: KeyStore;
  storage: Storage;
  /** The server that this page came from. */
  origin: string;
  /** What the scanned address held. */
  code?: PairingCode | undefined;
  /** A name to begin with, for example `Chrome on Android`. */
  name: string;
  random: Random;
  now(): number;
  pair(options: Omit<PairingOptions, "open" | "random">): Promise<{ decision: Decision; desktop: MetDesktop }>;
  enroll(origin: string, keys: DeviceKeys, certificate: Uint8Array): Promise<string>;
  hub(origin: string, device: string, keys: DeviceKeys): PhoneHub;
  dial(options: RelayDialOptions): Dial;
}

export const keysOf = (desktop: Pairing): DeviceKeys => keysFromSecret(desktop.secret);

/** For one pairing. */
export const newSecret = (world: PhoneWorld): Uint8Array => keysToSecret(generateKeys(world.random));

export async function recall(world: PhoneWorld): Promise<Remembered> {
  const kept = await world.store.load();
  return kept ? today(kept) : { desktops: [] };
}

/** The same with one desktop added, or replaced when it was paired before. */
export function withDesktop(remembered: Remembered, desktop: Pairing): Remembered {
  return { desktops: [desktop, ...remembered.desktops.filter((d) => d.desktop !== desktop.desktop)] };
}

export function withoutDesktop(remembered: Remembered, desktop: string): Remembered {
  return { desktops: remembered.desktops.filter((d) => d.desktop !== desktop) };
}

/** Calls `back` each time the desktop can be reached after it, or the server, could not. */
export function whenBack(hub: PhoneHub, desktop: string, back: () => void): () => void {
  let there = false;
  return hub.watch(() => {
    const now = hub.status === "online" && hub.presence.get(desktop)?.online === true;
    const came = now && !there;
    there = now;
    if (came) back();
  });
}

/** Waits for the hub before a session is begun, so that nothing piles up for a server that is away. */
export function patientDial(hub: PhoneHub, dial: Dial): Dial {
  return (handlers) => {
    let inner: ReturnType<Dial> | undefined;
    let closed = false;
    const begin = () => {
      if (inner || closed || hub.status !== "online") return;
      unwatch();
      inner = dial(handlers);
    };
    const unwatch = hub.watch(begin);
    queueMicrotask(begin);
    return {
      send: (text) => inner?.send(text),
      close: () => {
        if (inner) return inner.close();
        if (closed) return;
        closed = true;
        unwatch();
        queueMicrotask(() => handlers.closed());
      },
    };
  };
}
