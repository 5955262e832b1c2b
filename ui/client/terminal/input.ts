/** What is typed, in order and exactly once, over links that come and go. */
import type { Pasted } from "../api.gen.ts";
import type { LinkState } from "../connection.ts";
import { ApiError, type Caller } from "../rpc.ts";
import { base64 } from "../relay/bytes.ts";

/** What is used of a `Connection`. */
export interface Typing extends Pick<Caller, "call"> {
  watch(notify: () => void): () => void;
  snapshot(): LinkState;
}

/** Keys that were typed while a call was under way travel together, up to this. */
const MOST_BYTES = 16 * 1024;
const RETRY_MS = 300;
/** A host that answers with another number each time is not one to go on with. */
const MOST_RESYNCS = 3;

type Item =
  | { kind: "keys"; bytes: Uint8Array }
  | { kind: "paste"; text: string; done(pasted: Pasted): void; failed(error: ApiError): void };

/**
 * The input of one viewer to one terminal. Each call has a number; the host applies each number once. A call whose
 * answer was lost is repeated with the same number and the same bytes, so it has its effect exactly once.
 */
export class InputQueue {
  /** Why the last input was dropped; until something else is typed. */
  error: ApiError | undefined;
  private readonly items: Item[] = [];
  private next = 1;
  private flight: { seq: number; item: Item } | undefined;
  private busy = false;
  private resyncs = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly watchers = new Set<() => void>();

  constructor(
    private readonly caller: Typing,
    private readonly terminal: string,
    private readonly viewer: string,
  ) {
    caller.watch(() => this.pump());
  }

  /** Bytes and pastes that have not been acknowledged. */
  get waiting(): number {
    const size = (item: Item) => (item.kind === "keys" ? item.bytes.length : item.text.length);
    return this.items.reduce((sum, item) => sum + size(item), this.flight ? size(this.flight.item) : 0);
  }

  watch = (notify: () => void): (() => void) => {
    this.watchers.add(notify);
    return () => void this.watchers.delete(notify);
  };

  type(text: string | Uint8Array): void {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    if (bytes.length === 0) return;
    this.error = undefined;
    this.items.push({ kind: "keys", bytes });
    this.pump();
  }

  paste(text: string): Promise<Pasted> {
    this.error = undefined;
    return new Promise((done, failed) => {
      this.items.push({ kind: "paste", text, done, failed });
      this.pump();
    });
  }

  private pump(): void {
    if (this.busy || this.timer !== undefined || this.caller.snapshot().status !== "linked") return;
    this.flight ??= this.take();
    if (!this.flight) return this.tell();
    this.busy = true;
    this.tell();
    const { seq, item } = this.flight;
    const of = { terminal: this.terminal, viewer: this.viewer, seq };
    const call = item.kind === "keys"
      ? this.caller.call("terminals.input", { ...of, data: base64(item.bytes) }).then(() => undefined)
      : this.caller.call("terminals.paste", { ...of, text: item.text }).then(item.done);
    call.then(
      () => this.applied(seq),
      (error: unknown) => this.failed(error instanceof ApiError ? error : new ApiError("internal", "", String(error))),
    );
  }

  private take(): { seq: number; item: Item } | undefined {
    const first = this.items.shift();
    if (!first) return undefined;
    if (first.kind === "paste") return { seq: this.next, item: first };
    const parts = [first.bytes];
    let length = first.bytes.length;
    for (let more = this.items[0]; more?.kind === "keys" && length + more.bytes.length <= MOST_BYTES; more = this.items[0]) {
      parts.push(more.bytes);
      length += more.bytes.length;
      this.items.shift();
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return { seq: this.next, item: { kind: "keys", bytes } };
  }

  private applied(seq: number): void {
    this.busy = false;
    this.flight = undefined;
    this.resyncs = 0;
    this.next = seq + 1;
    this.pump();
  }

  private failed(error: ApiError): void {
    this.busy = false;
    // Whether it was applied is not known: it goes again with its number when the link is back.
    if (error.reason === "link_closed") return this.pump();
    const expected = Number(error.params["expected"]);
    if (error.reason === "input_sequence" && this.flight && Number.isSafeInteger(expected) && this.resyncs++ < MOST_RESYNCS) {
      this.flight.seq = expected;
      return this.pump();
    }
    if (error.code === "rate_limited" || error.code === "unavailable") {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.pump();
      }, RETRY_MS);
      return this.tell();
    }
    this.drop(error);
  }

  /** It can never be applied, and neither can what was typed after it. */
  private drop(error: ApiError): void {
    this.resyncs = 0;
    for (const item of [this.flight?.item, ...this.items.splice(0)]) if (item?.kind === "paste") item.failed(error);
    this.flight = undefined;
    this.error = error;
    this.tell();
  }

  private tell(): void {
    for (const notify of [...this.watchers]) notify();
  }
}
