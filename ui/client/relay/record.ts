/**
 * Sealed terminal records, the payload of a PTC1 frame:
 * `version u8 = 1 | kind u8 | flags u16 | key_id u32 | part u16 | of u16 | epoch u64 | offset u64 | nonce 24 | sealed`.
 * The seal binds "plantocode-ptc1-v1", the stream's number in four bytes, and the first 28 bytes.
 */
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { concat, count, RelayError, u32, u64, utf8, view, type Random } from "./bytes.ts";
import { derive } from "./words.ts";

export const DATA = 0;
export const SNAPSHOT = 1;
export const GAP = 2;
export const RESIZE = 3;
export const EXIT = 4;

const HEAD = 28;
const NONCE = 24;
const TAG = 16;
const DOMAIN = utf8("plantocode-ptc1-v1");
/** The longest content of a stream's message, which bounds a snapshot. */
export const MAX_STREAM_BYTES = 1 << 20;

/** One thing of a terminal stream, opened. */
export interface StreamRecord {
  kind: number;
  epoch: bigint;
  offset: number;
  bytes: Uint8Array;
}

export interface OpenRecord extends StreamRecord {
  keyId: number;
  part: number;
  of: number;
}

/** Opens the records of a session; keeps the present key, the last, and reaches for the next. */
export class RecordKeys {
  private id = 0;
  private key: Uint8Array;
  private previous?: Uint8Array;

  /** `transport` is the desktop's first transport key. */
  constructor(transport: Uint8Array) {
    this.key = derive(transport, "plantocode-record-v1");
  }

  advance(): void {
    this.previous = this.key;
    this.key = derive(this.key, "plantocode-record-next-v1");
    this.id = (this.id + 1) >>> 0;
  }

  /** Goes on until the key has at least this number: the desktop has announced so many. */
  reach(id: number): void {
    for (let behind = (id - this.id) >>> 0; behind > 0 && behind < 0x8000_0000; behind--) this.advance();
  }

  /** Throws `malformed` or `forged`; the record is dropped then. */
  open(stream: number, payload: Uint8Array): OpenRecord {
    if (payload.length < HEAD + NONCE + TAG) throw new RelayError("malformed", "A record is too short.");
    const head = payload.slice(0, HEAD);
    const at = view(head);
    const record = {
      kind: at.getUint8(1),
      keyId: at.getUint32(4),
      part: at.getUint16(8),
      of: at.getUint16(10),
      epoch: at.getBigUint64(12),
      offset: count(head, 20),
    };
    if (at.getUint8(0) !== 1 || record.kind > EXIT || at.getUint16(2) !== 0 || record.part >= record.of) {
      throw new RelayError("malformed", "A record of another form.");
    }
    const ahead = (record.keyId - this.id) >>> 0;
    const next = ahead === 1 ? derive(this.key, "plantocode-record-next-v1") : undefined;
    const key = ahead === 0 ? this.key : ahead === 1 ? next : ahead === 0xffff_ffff ? this.previous : undefined;
    if (!key) throw new RelayError("forged", "A record under a key of another time.");
    let bytes: Uint8Array;
    try {
      bytes = aead(key, payload.slice(HEAD, HEAD + NONCE), stream, head).decrypt(payload.slice(HEAD + NONCE));
    } catch {
      throw new RelayError("forged", "A record that the key does not open.");
    }
    if (ahead === 1) this.advance();
    return { ...record, bytes };
  }

  /** Seals one record. Phones never do; the checks against the desktop's end use it. */
  seal(stream: number, record: Omit<OpenRecord, "keyId">, random: Random): Uint8Array {
    const part = new Uint8Array(4);
    view(part).setUint16(0, record.part);
    view(part).setUint16(2, record.of);
    const head = concat(Uint8Array.of(1, record.kind, 0, 0), u32(this.id), part, u64(record.epoch), u64(record.offset));
    const nonce = random(NONCE);
    return concat(head, nonce, aead(this.key, nonce, stream, head).encrypt(record.bytes));
  }
}

const aead = (key: Uint8Array, nonce: Uint8Array, stream: number, head: Uint8Array) =>
  xchacha20poly1305(key, nonce, concat(DOMAIN, u32(stream), head));

const misplaced = (why: string) => new RelayError("out_of_place", why);

/** Which genuine records of a stream are taken: only those that follow, from the place that the alias message named. */
export class Acceptor {
  /** The offset of the next byte. */
  next: number;
  /** Whether a snapshot may come: while the attachment is unanswered, and directly after a gap. */
  private outstanding = true;
  private parts: Uint8Array[] = [];
  private size = 0;
  private of = 0;

  constructor(
    readonly epoch: bigint,
    offset: number,
  ) {
    this.next = offset;
  }

  /** Undefined while parts of a snapshot are missing. Throws `out_of_place`; nothing has changed then. */
  take(record: OpenRecord): StreamRecord | undefined {
    if (record.epoch !== this.epoch) throw misplaced("A record of another epoch.");
    if (record.kind === SNAPSHOT) return this.snapshot(record);
    if (this.of !== 0 || record.of !== 1) throw misplaced("A record inside a snapshot.");
    if (record.offset !== this.next) throw misplaced("A record at another offset.");
    if (record.kind === DATA) {
      this.next += record.bytes.length;
      this.outstanding = false;
    } else if (record.kind === GAP) {
      const to = record.bytes.length === 8 ? count(record.bytes, 0) : -1;
      if (to <= this.next) throw misplaced("A gap that leads backwards.");
      this.next = to;
      // What was left out is made good by a screen of its end.
      this.outstanding = true;
    }
    return record;
  }

  private snapshot(record: OpenRecord): StreamRecord | undefined {
    if (!this.outstanding) throw misplaced("A snapshot that nobody asked for.");
    if (record.offset < this.next) throw misplaced("A snapshot of what was before.");
    const follows =
      this.of === 0
        ? record.part === 0
        : record.part === this.parts.length && record.of === this.of && record.offset === this.next;
    if (!follows || this.size + record.bytes.length > MAX_STREAM_BYTES) {
      throw misplaced("A part of a snapshot that does not follow.");
    }
    this.next = record.offset;
    this.of = record.of;
    this.parts.push(record.bytes);
    this.size += record.bytes.length;
    if (this.parts.length < this.of) return undefined;
    const bytes = concat(...this.parts);
    this.parts = [];
    this.size = 0;
    this.of = 0;
    this.outstanding = false;
    return { ...record, bytes };
  }
}

/** The form of a stream's message on a link: `stream u32 | kind u8 | epoch u64 | offset u64 | bytes`. */
export const streamMessage = (stream: number, record: StreamRecord): Uint8Array =>
  concat(u32(stream), Uint8Array.of(record.kind), u64(record.epoch), u64(record.offset), record.bytes);
