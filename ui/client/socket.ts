import type { Dial } from "./link.ts";

/** A link over the loopback host's WebSocket. The token travels as a subprotocol: browsers send no headers. */
export function socketDial(url: string, token: string): Dial {
  return (handlers) => {
    const socket = new WebSocket(url, ["plantocode.v1", `token.${token}`]);
    let closed = false;
    const close = () => {
      if (closed) return;
      closed = true;
      handlers.closed();
    };
    socket.onopen = () => handlers.opened();
    socket.onmessage = (event) => {
      // Binary frames belong to terminals, which this client does not open yet.
      if (typeof event.data === "string") handlers.text(event.data);
    };
    socket.onerror = close;
    socket.onclose = close;
    return {
      send: (text) => socket.send(text),
      close: () => {
        socket.close();
        close();
      },
    };
  };
}

const FIRST_MS = 500;
const LONGEST_MS = 10_000;

/** How long to wait before dial number `attempt` (from 0): exponential, with full jitter. */
export function redialDelay(attempt: number, random: () => number): number {
  return random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt);
}
