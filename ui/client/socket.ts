import type { Dial } from "./link.ts";

/** A link over the loopback host's WebSocket. The token travels as a subprotocol: browsers send no headers. */
export function socketDial(url: string, token: string): Dial {
  return (handlers) => {
    const socket = new WebSocket(url, ["plantocode.v1", `token.${token}`]);
    socket.binaryType = "arraybuffer";
    let closed = false;
    const close = () => {
      if (closed) return;
      closed = true;
      handlers.closed();
    };
    socket.onopen = () => handlers.opened();
    socket.onmessage = (event) => {
      if (typeof event.data === "string") handlers.text(event.data);
      else handlers.binary(new Uint8Array(event.data as ArrayBuffer));
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
