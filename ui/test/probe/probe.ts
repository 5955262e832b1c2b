/** A phone without a page: the same pairing, hub, session and connection as in the page, for tests that look at bytes. */
import { Connection } from "#client/connection.ts";
import { systemRandom } from "#client/relay/bytes.ts";
import { Hub, type OpenSocket } from "#client/relay/hub.ts";
import { generateKeys, type DeviceKeys, type PairedDesktop } from "#client/relay/keys.ts";
import { socketDial } from "#client/socket.ts";
import { relayDial } from "#client/relay/link.ts";
import { pair } from "#client/relay/mailbox.ts";
import { enroll } from "#client/relay/server.ts";
import { fromQr } from "#client/relay/words.ts";

const openSocket: OpenSocket = (url, protocols) => new WebSocket(url, protocols) as unknown as ReturnType<OpenSocket>;

export interface Paired {
  keys: DeviceKeys;
  desktop: PairedDesktop;
}

/** Pairs by the address that a code says; `met` is told the digits to type at the desktop. */
export async function pairPhone(address: string, name: string, met: (digits: string) => void): Promise<Paired> {
  const keys = generateKeys(systemRandom);
  const { origin } = new URL(address);
  const { decision, desktop } = await pair({
    origin,
    code: fromQr(address),
    keys,
    name,
    random: systemRandom,
    open: openSocket,
    met: (_desktop, digits) => met(digits),
  });
  if (decision.type !== "accepted") throw new Error(`the desktop refused: ${decision.reason}`);
  const device = await enroll(fetch, origin, keys, decision.certificate);
  const paired: PairedDesktop = {
    origin,
    device,
    desktop: desktop.device,
    name: desktop.name,
    keys: desktop.keys,
    scopes: decision.scopes,
  };
  return { keys, desktop: paired };
}

/** The phone's own connection to its desktop, and the hub under it. */
export function connectPhone({ keys, desktop }: Paired): { connection: Connection; hub: Hub } {
  const device = desktop.device as string;
  const hub = new Hub({ origin: desktop.origin, device, keys, fetch, open: openSocket, random: systemRandom, now: Date.now });
  const dial = relayDial({
    hub,
    keys,
    phone: device,
    desktop: desktop.desktop,
    desktopKey: desktop.keys.noise,
    random: systemRandom,
    now: Date.now,
  });
  const env = { hostAnswers: () => Promise.resolve(false), random: Math.random, now: Date.now, client: "probe" };
  return { connection: new Connection(dial, env), hub };
}

/** A connection to the engine of this machine, as a program that holds the file's token. */
export function connectHere(url: string, token: string): Connection {
  const env = { hostAnswers: () => Promise.resolve(false), random: Math.random, now: Date.now, client: "probe" };
  return new Connection(socketDial(`${url.replace(/^http/, "ws").replace(/\/$/, "")}/api/socket`, token), env);
}
