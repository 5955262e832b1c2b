import type { ErrorCode, Methods } from "./api.gen.ts";

type OfKind<K> = { [M in keyof Methods]: Methods[M]["kind"] extends K ? M : never }[keyof Methods];
export type UnaryMethod = OfKind<"unary">;
export type StreamMethod = OfKind<"stream">;
export type FeedMethod = OfKind<"feed">;
export type Params<M extends keyof Methods> = Methods[M]["params"];
export type Result<M extends keyof Methods> = Methods[M]["result"];

/** Items a stream may send before more are granted; the engine's constant. */
export const INITIAL_CREDIT = 64;
const GRANT_EVERY = INITIAL_CREDIT / 2;

export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly params: Record<string, string>;
  constructor(code: ErrorCode, reason: string, message: string, params: Record<string, string> = {}) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.reason = reason;
    this.params = params;
  }
}

export const linkClosed = () =>
  new ApiError(
    "unavailable",
    "link_closed",
    "The connection to the engine ended. Nothing that was stored is lost; connect again to go on.",
  );

const canceled = () => new ApiError("canceled", "canceled", "Canceled.");

export interface StreamHandlers<T> {
  item(value: T): void;
  /** Called once, unless the caller canceled. */
  end(error?: ApiError): void;
}

/** Bytes at an offset. The epoch needs 64 bits, so it is decimal text as everywhere in JSON. */
export interface FeedRecord {
  kind: number;
  epoch: string;
  offset: number;
  bytes: Uint8Array;
}

export interface FeedHandlers {
  record(record: FeedRecord): void;
  /** Called once, unless the caller canceled. */
  end(error?: ApiError): void;
}

/** An open feed. */
export interface Feed {
  /** The call's number on this link. */
  readonly id: number;
  /** Says that so many more bytes have been consumed, so that as many more may come. */
  consume(bytes: number): void;
  cancel(): void;
}

export const NO_FEED: Feed = { id: 0, consume() {}, cancel() {} };

/** Bytes in front of a record's own. */
const RECORD_HEAD = 21;

/** Everything features need to talk to an engine. */
export interface Caller {
  call<M extends UnaryMethod>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>>;
  /** Opens a stream; the returned function cancels it. */
  subscribe<M extends StreamMethod>(method: M, params: Params<M>, on: StreamHandlers<Result<M>>): () => void;
  feed<M extends FeedMethod>(method: M, params: Params<M>, on: FeedHandlers): Feed;
}

interface WireError {
  message: string;
  data?: { code?: ErrorCode; reason?: string; params?: Record<string, string> };
}
interface Envelope {
  id?: number | string;
  method?: string;
  params?: { id: number; seq: number; value: unknown; error?: WireError };
  result?: unknown;
  error?: WireError;
}
type Pending =
  | { kind: "unary"; resolve(value: unknown): void; reject(error: ApiError): void }
  | { kind: "stream"; seen: number; on: StreamHandlers<unknown> }
  | { kind: "feed"; on: FeedHandlers };

function read(e: WireError): ApiError {
  return new ApiError(e.data?.code ?? "internal", e.data?.reason ?? "", e.message, e.data?.params ?? {});
}

/** The calling end of one link. A new link needs a new `Rpc`. */
export class Rpc implements Caller {
  private readonly open = new Map<number, Pending>();
  private next = 1;
  private gone = false;

  constructor(private readonly send: (text: string) => void) {}

  /** With a `key`, which is drawn at random, the engine gives a call that is made again the answer of the first. */
  call<M extends UnaryMethod>(method: M, params: Params<M>, signal?: AbortSignal, key?: string): Promise<Result<M>> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(canceled());
      if (this.gone) return reject(linkClosed());
      const id = this.request(method, params, { kind: "unary", resolve: resolve as (v: unknown) => void, reject }, key);
      signal?.addEventListener("abort", () => this.cancel(id, reject), { once: true });
    });
  }

  subscribe<M extends StreamMethod>(method: M, params: Params<M>, on: StreamHandlers<Result<M>>): () => void {
    if (this.gone) {
      queueMicrotask(() => on.end(linkClosed()));
      return () => {};
    }
    const id = this.request(method, params, { kind: "stream", seen: 0, on: on as StreamHandlers<unknown> });
    return () => this.cancel(id);
  }

  feed<M extends FeedMethod>(method: M, params: Params<M>, on: FeedHandlers): Feed {
    if (this.gone) {
      queueMicrotask(() => on.end(linkClosed()));
      return NO_FEED;
    }
    const id = this.request(method, params, { kind: "feed", on });
    return {
      id,
      consume: (n) => {
        if (this.open.has(id)) this.frame({ method: "$/credit", params: { id, n } });
      },
      cancel: () => this.cancel(id),
    };
  }

  /** Takes a record that the link received. */
  receiveRecord(message: Uint8Array): void {
    if (message.byteLength < RECORD_HEAD) return;
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    const pending = this.open.get(view.getUint32(0));
    if (pending?.kind !== "feed") return;
    pending.on.record({
      kind: view.getUint8(4),
      epoch: view.getBigUint64(5).toString(),
      // Offsets stay below 2^53: a terminal would have to write a gigabyte a second for a hundred days.
      offset: Number(view.getBigUint64(13)),
      bytes: message.subarray(RECORD_HEAD),
    });
  }

  /** Takes a frame that the link received. */
  receive(text: string): void {
    let frame: Envelope;
    try {
      frame = JSON.parse(text) as Envelope;
    } catch {
      return;
    }
    if (frame.method === "$/item" && frame.params) this.item(frame.params.id, frame.params.value);
    else if (frame.method === "$/end" && frame.params) this.end(frame.params.id, frame.params.error);
    else if (frame.method === undefined && typeof frame.id === "number") this.response(frame.id, frame);
  }

  /** The link is gone: every open call fails, and so does every later one. */
  close(): void {
    this.gone = true;
    const orphans = [...this.open.values()];
    this.open.clear();
    for (const pending of orphans) {
      if (pending.kind === "unary") pending.reject(linkClosed());
      else pending.on.end(linkClosed());
    }
  }

  private request(method: string, params: unknown, pending: Pending, key?: string): number {
    const id = this.next++;
    this.open.set(id, pending);
    this.frame({ id, method, params, ...(key === undefined ? {} : { key }) });
    return id;
  }

  private frame(body: object): void {
    this.send(JSON.stringify({ jsonrpc: "2.0", ...body }));
  }

  private cancel(id: number, reject?: (error: ApiError) => void): void {
    if (!this.open.delete(id)) return;
    this.frame({ method: "$/cancel", params: { id } });
    reject?.(canceled());
  }

  private item(id: number, value: unknown): void {
    const pending = this.open.get(id);
    if (pending?.kind !== "stream") return;
    pending.on.item(value);
    pending.seen += 1;
    if (pending.seen >= GRANT_EVERY && this.open.has(id)) {
      this.frame({ method: "$/credit", params: { id, n: pending.seen } });
      pending.seen = 0;
    }
  }

  private end(id: number, error?: WireError): void {
    const pending = this.open.get(id);
    if (pending === undefined || pending.kind === "unary") return;
    this.open.delete(id);
    pending.on.end(error && read(error));
  }

  private response(id: number, frame: Envelope): void {
    const pending = this.open.get(id);
    if (!pending) return;
    this.open.delete(id);
    if (pending.kind !== "unary") pending.on.end(frame.error && read(frame.error));
    else if (frame.error) pending.reject(read(frame.error));
    else pending.resolve(frame.result);
  }
}
