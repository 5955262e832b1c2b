/** The phone's half of a link session: Noise KK, boxes in order, once. It outlives the sockets it runs over. */
import { concat, count, equal, fields, member, number, object, RelayError, text, u64, utf8, type Random } from "./bytes.ts";
import type { DeviceKeys } from "./keys.ts";
import { Handshake, KK, type CipherKey, type Finished } from "./noise.ts";
import { RecordKeys } from "./record.ts";

export const MAX_API_BYTES = 256 * 1024;
export const PART_BYTES = 52 * 1024;
const MAX_PARTS = 5;
export const REKEY_BOXES = 2 ** 20;
export const REKEY_MS = 3_600_000;

export const FIRST = 0;
export const SECOND = 1;
export const TRANSPORT = 2;
export const UNKNOWN = 3;
const HEAD = 17;

export interface BoxHead {
  kind: number;
  session: Uint8Array;
  seq: number;
}

/** Reads the head of a box; the rest is still sealed. Throws `malformed`. */
export function parseBox(bytes: Uint8Array): { head: BoxHead; rest: Uint8Array } {
  const kind = bytes[0] ?? 255;
  if (bytes.length < HEAD || kind > UNKNOWN) throw new RelayError("malformed", "A box of another form.");
  return { head: { kind, session: bytes.slice(1, 9), seq: count(bytes, 9) }, rest: bytes.slice(HEAD) };
}

export const writeBox = (head: BoxHead, rest: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(head.kind), head.session, u64(head.seq), rest);

export type Control =
  | { type: "alias"; stream: number; alias: string; epoch: bigint; offset: number }
  | { type: "lagging"; stream: number }
  | { type: "heads"; heads: { stream: number; offset: number }[] };

export type Plain = { api: string } | { control: Control };

/** Who talks, by device id: part of what is bound. */
export interface Names {
  phone: string;
  desktop: string;
}

export interface Opening {
  /** The first box, to be sent. */
  first: Uint8Array;
  session: Uint8Array;
  /** Takes the second box; throws `out_of_place` or `forged`. */
  finish(second: Uint8Array, now: number): Session;
}

export function beginSession(keys: DeviceKeys, names: Names, desktop: Uint8Array, random: Random): Opening {
  const session = random(8);
  const prologue = fields("plantocode-session-v1", names.phone, names.desktop, session);
  const handshake = new Handshake({ pattern: KK, initiator: true, keys: keys.noise, peer: desktop, prologue, random });
  const first = writeBox({ kind: FIRST, session, seq: 0 }, handshake.write());
  const finish = (second: Uint8Array, now: number): Session => {
    const { head, rest } = parseBox(second);
    if (head.kind !== SECOND || !equal(head.session, session)) throw new RelayError("out_of_place", "An answer to another session.");
    handshake.read(rest);
    return new Session(session, names, handshake.finish(), now);
  };
  return { first, session, finish };
}

interface Direction {
  key: CipherKey;
  seq: number;
  used: number;
}

export class Session {
  readonly records: RecordKeys;
  broken = false;
  private readonly sending: Direction;
  private readonly receiving: Direction;
  /** How often the desktop has renewed its key. */
  private renewals = 0;
  private parts: Uint8Array[] = [];
  private partKind = 0;
  private partOf = 0;

  constructor(
    readonly id: Uint8Array,
    private readonly names: Names,
    finished: Finished,
    private rekeyedAt: number,
  ) {
    this.sending = { key: finished.send, seq: 0, used: 0 };
    this.receiving = { key: finished.receive, seq: 0, used: 0 };
    this.records = new RecordKeys(finished.receive.bytes);
  }

  /** Seals an API frame into boxes, to be sent in this order. Throws `malformed` when it is too long. */
  seal(frame: string, now: number): Uint8Array[] {
    if (this.broken) throw new RelayError("broken", "The session has ended.");
    const bytes = utf8(frame);
    if (bytes.length > MAX_API_BYTES) throw new RelayError("malformed", "A frame is longer than a device link carries.");
    const boxes: Uint8Array[] = [];
    if (this.sending.used >= REKEY_BOXES || now - this.rekeyedAt >= REKEY_MS) {
      boxes.push(this.sealPart(1, 0, 1, utf8('{"type":"rekey"}')));
      this.sending.key = this.sending.key.next();
      this.sending.used = 0;
      this.rekeyedAt = now;
    }
    const of = Math.max(1, Math.ceil(bytes.length / PART_BYTES));
    for (let part = 0; part < of; part++) {
      boxes.push(this.sealPart(0, part, of, bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES)));
    }
    return boxes;
  }

  /**
   * Opens a transport box; undefined while parts are missing and for what only concerns the session itself. Throws
   * `out_of_place` or `forged`: the box is dropped. Throws `broken`: so is the session.
   */
  open(sealed: Uint8Array): Plain | undefined {
    if (this.broken) throw new RelayError("broken", "The session has ended.");
    const { head, rest } = parseBox(sealed);
    if (head.kind !== TRANSPORT || !equal(head.session, this.id)) throw new RelayError("out_of_place", "A box of another session.");
    if (head.seq < this.receiving.seq) throw new RelayError("out_of_place", "A box that was seen before.");
    const ad = this.associated(this.names.desktop, this.names.phone, head.seq);
    if (head.seq > this.receiving.seq) {
      // Only a genuine box proves that others are missing; across a missed rekey it is under the next key.
      this.broken = opens(this.receiving.key, head.seq, ad, rest) || opens(this.receiving.key.next(), head.seq, ad, rest);
      throw this.broken ? new RelayError("broken", "Boxes are missing.") : new RelayError("forged", "A box from the future.");
    }
    const plain = this.receiving.key.open(head.seq, ad, rest);
    this.receiving.seq += 1;
    this.receiving.used += 1;
    try {
      return this.take(plain);
    } catch {
      this.broken = true;
      throw new RelayError("broken", "The desktop sent something of another form.");
    }
  }

  private sealPart(kind: number, part: number, of: number, bytes: Uint8Array): Uint8Array {
    const seq = this.sending.seq++;
    this.sending.used += 1;
    const ad = this.associated(this.names.phone, this.names.desktop, seq);
    return writeBox({ kind: TRANSPORT, session: this.id, seq }, this.sending.key.seal(seq, ad, concat(Uint8Array.of(kind, part, of), bytes)));
  }

  private associated(from: string, to: string, seq: number): Uint8Array {
    return fields("plantocode-box-v1", from, to, this.id, seq);
  }

  private take(plain: Uint8Array): Plain | undefined {
    const [kind = 0, part = 0, of = 0] = plain;
    const follows = this.parts.length === 0
      ? part === 0 && of >= 1 && of <= MAX_PARTS
      : kind === this.partKind && part === this.parts.length && of === this.partOf;
    const bytes = plain.subarray(3);
    if (plain.length < 3 || !follows || bytes.length > PART_BYTES || this.receiving.used > 2 * REKEY_BOXES) {
      throw new RelayError("broken", "Parts do not follow.");
    }
    this.partKind = kind;
    this.partOf = of;
    this.parts.push(bytes);
    if (this.parts.length < of) return undefined;
    const whole = text(concat(...this.parts));
    this.parts = [];
    if (kind === 0) return { api: whole };
    if (kind !== 1) return undefined;
    const said = object(whole);
    if (said.type === "rekey") {
      this.receiving.key = this.receiving.key.next();
      this.receiving.used = 0;
      this.renewals = (this.renewals + 1) >>> 0;
      // A silent terminal sends no record that would show it, and two keys ahead none would open.
      this.records.reach(this.renewals);
      return undefined;
    }
    const control = readControl(said);
    return control && { control };
  }
}

function opens(key: CipherKey, seq: number, ad: Uint8Array, rest: Uint8Array): boolean {
  try {
    key.open(seq, ad, rest);
    return true;
  } catch {
    return false;
  }
}

/** Undefined for a type that this build does not know. */
function readControl(said: Record<string, unknown>): Control | undefined {
  switch (said.type) {
    case "alias":
      return { type: "alias", stream: number(said, "stream"), alias: member(said, "alias"), epoch: BigInt(member(said, "epoch")), offset: number(said, "offset") };
    case "lagging":
      return { type: said.type, stream: number(said, "stream") };
    case "heads": {
      const heads = Array.isArray(said.heads) ? said.heads : [];
      return { type: "heads", heads: heads.map((head: Record<string, unknown>) => ({ stream: number(head, "stream"), offset: number(head, "offset") })) };
    }
    default:
      return undefined;
  }
}
