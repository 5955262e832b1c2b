/** PTC1: `"PTC1" | u16 length | alias, UTF-8 | payload`. The hub reads the alias only. */
import { concat, RelayError, text, utf8, view } from "./bytes.ts";

export const MAX_FRAME_BYTES = 64 * 1024;
const MAGIC = utf8("PTC1");

export interface Frame {
  session: string;
  payload: Uint8Array;
}

/** Throws `malformed`: the connection is closed then. */
export function parseFrame(message: Uint8Array): Frame {
  const malformed = (why: string) => new RelayError("malformed", why);
  if (message.length > MAX_FRAME_BYTES) throw malformed("A PTC1 frame is longer than 64 KiB.");
  if (message.length < 6) throw malformed("A PTC1 frame is shorter than it says.");
  if (!MAGIC.every((byte, i) => message[i] === byte)) throw malformed("Not a PTC1 frame.");
  const end = 6 + view(message).getUint16(4);
  if (message.length < end) throw malformed("A PTC1 frame is shorter than it says.");
  const session = text(message.subarray(6, end));
  if (session === "") throw malformed("A PTC1 frame has no readable session id.");
  return { session, payload: message.subarray(end) };
}

export function writeFrame(frame: Frame): Uint8Array {
  const session = utf8(frame.session);
  const bytes = concat(MAGIC, Uint8Array.of(session.length >> 8, session.length & 255), session, frame.payload);
  if (session.length === 0 || bytes.length > MAX_FRAME_BYTES) throw new RelayError("malformed", "Not a PTC1 frame.");
  return bytes;
}
