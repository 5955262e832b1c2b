/** Bytes as the device link writes them: big-endian numbers, base64 in JSON, and the form of what is signed. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Fills a buffer with randomness that cannot be guessed. */
export type Random = (length: number) => Uint8Array;

/** The platform's randomness. */
export const systemRandom: Random = (length) => crypto.getRandomValues(new Uint8Array(length));

/** Something that arrived is not what it should be: `malformed`, `forged`, `out_of_place`, or the session is `broken`. */
export class RelayError extends Error {
  constructor(
    readonly reason: "malformed" | "forged" | "out_of_place" | "broken" | "code" | "refused" | "unreachable",
    message: string,
  ) {
    super(message);
    this.name = "RelayError";
  }
}

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** Throws `malformed` for what is not UTF-8. */
export function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new RelayError("malformed", "Not UTF-8.");
  }
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length && i < b.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

export const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  view(bytes).setUint32(0, value);
  return bytes;
}

export function u64(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  view(bytes).setBigUint64(0, BigInt(value));
  return bytes;
}

/** A u64 that counts bytes or messages: exact below 2^53, and nothing of ours comes near. */
export function count(bytes: Uint8Array, at: number): number {
  const value = view(bytes).getBigUint64(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RelayError("malformed", "A number is too large.");
  return Number(value);
}

/** A domain, then each field as its length in 8 bytes and its bytes; numbers are 8 bytes. What signatures are over. */
export function fields(domain: string, ...values: (string | Uint8Array | number)[]): Uint8Array {
  const parts = [utf8(domain)];
  for (const value of values) {
    const bytes = typeof value === "string" ? utf8(value) : typeof value === "number" ? u64(value) : value;
    parts.push(u64(bytes.length), bytes);
  }
  return concat(...parts);
}

export function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

/** Throws `malformed`; also when `length` is given and differs. */
export function fromBase64(encoded: string, length?: number): Uint8Array {
  let binary: string;
  try {
    binary = atob(encoded);
  } catch {
    throw new RelayError("malformed", "Not base64.");
  }
  if (length !== undefined && binary.length !== length) throw new RelayError("malformed", "Bytes of another length.");
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

export const base64url = (bytes: Uint8Array): string =>
  base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

export const fromBase64url = (encoded: string, length: number): Uint8Array =>
  fromBase64(encoded.replaceAll("-", "+").replaceAll("_", "/"), length);

/** Parses JSON that is an object; throws `malformed`. */
export function object(json: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new RelayError("malformed", "Not JSON.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RelayError("malformed", "Not a JSON object.");
  }
  return value as Record<string, unknown>;
}

/** A member that has to be a text of bounded length. */
export function member(of: Record<string, unknown>, name: string, most = 1024): string {
  const value = of[name];
  if (typeof value !== "string" || value.length > most) throw new RelayError("malformed", `“${name}” is missing.`);
  return value;
}

/** A member that has to be a count. */
export function number(of: Record<string, unknown>, name: string): number {
  const value = of[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new RelayError("malformed", `“${name}” is missing.`);
  }
  return value;
}
