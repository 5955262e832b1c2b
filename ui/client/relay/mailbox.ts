/** A pairing over the mailbox socket: from a code to the desktop's decision. */
import { base64, fromBase64, member, object, RelayError, type Random } from "./bytes.ts";
import type { OpenSocket } from "./hub.ts";
import type { DeviceKeys } from "./keys.ts";
import { beginPairing, type Decision, type MetDesktop, type Waiting } from "./pairing.ts";
import { mailboxOf, type PairingCode } from "./words.ts";

const SUBPROTOCOL = "plantocode.pairing.v1";

export interface PairingOptions {
  /** The server; the code's own when it names one. */
  origin: string;
  code: PairingCode;
  keys: DeviceKeys;
  /** What this phone calls itself. */
  name: string;
  random: Random;
  open: OpenSocket;
  /** The desktop was met: show these digits, to be typed there. */
  met(desktop: MetDesktop, digits: string): void;
  signal?: AbortSignal;
}

/** Ends with the desktop's decision. Throws `forged`, `malformed`, `unreachable`, or `refused` when the mailbox ends. */
export function pair(options: PairingOptions): Promise<{ decision: Decision; desktop: MetDesktop }> {
  const { code, keys, name, random, signal } = options;
  return new Promise((resolve, reject) => {
    const begun = beginPairing(keys, code, name, random);
    let waiting: Waiting | undefined;
    const socket = options.open(`${options.origin.replace(/^http/, "ws")}/ws/pairing`, [SUBPROTOCOL]);
    const finish = (settle: () => void) => {
      signal?.removeEventListener("abort", aborted);
      socket.onclose = socket.onerror = socket.onmessage = null;
      socket.close();
      settle();
    };
    const fail = (error: unknown) => finish(() => reject(error));
    const aborted = () => fail(new RelayError("refused", "The pairing was given up."));
    const send = (body: Uint8Array) => socket.send(JSON.stringify({ type: "pairing", body: base64(body) }));
    const take = (body: Uint8Array) => {
      if (!waiting) {
        waiting = begun.answer(body);
        send(waiting.third);
        return options.met(waiting.desktop, waiting.digits);
      }
      const { desktop } = waiting;
      const decision = waiting.decision(body);
      finish(() => resolve({ decision, desktop }));
    };
    if (signal?.aborted) return aborted();
    signal?.addEventListener("abort", aborted, { once: true });
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: "pairing_join", mailbox: mailboxOf(code.secret) }));
      send(begun.first);
    };
    socket.onmessage = ({ data }) => {
      try {
        if (typeof data !== "string") return;
        const said = object(data);
        if (said.type === "pairing") take(fromBase64(member(said, "body", 65_536)));
        else if (said.type === "pairing_closed") fail(new RelayError("refused", "The desktop has closed the pairing, or its time is over."));
      } catch (error) {
        fail(error);
      }
    };
    socket.onerror = socket.onclose = () => fail(new RelayError("unreachable", "The connection to the server was lost."));
  });
}
