/** Follows a terminal over links that come and go: replay and live output are joined by offset, and by nothing else. */
import type { TerminalExit } from "../api.gen.ts";
import type { LinkState } from "../connection.ts";
import { NO_FEED, type ApiError, type Caller, type Feed, type FeedRecord } from "../rpc.ts";
import { contentOf, type CellSize } from "./records.ts";

/** Where the output goes. Everything is called in order, and takes effect in order. */
export interface Sink {
  /** Calls `shown` when the bytes have been taken in. */
  write(bytes: Uint8Array, shown: () => void): void;
  /** Begins anew with an empty terminal of this size. */
  clear(size?: CellSize): void;
  resize(size: CellSize): void;
}

export interface Gap {
  from: number;
  to: number;
}

export type FollowState =
  /** Asked, nothing has come yet. */
  | { kind: "attaching" }
  | { kind: "live" }
  /** The link is gone; what is shown stays, and is continued when it is back. */
  | { kind: "offline" }
  /** The engine does not give the output now; it is asked again. */
  | { kind: "retrying"; error: ApiError | undefined }
  | { kind: "ended"; exit: TerminalExit }
  | { kind: "failed"; error: ApiError };

/** What is used of a `Connection`. */
export interface Linked extends Pick<Caller, "feed"> {
  watch(notify: () => void): () => void;
  snapshot(): LinkState;
}

export interface FollowOptions {
  caller: Linked;
  terminal: string;
  /** Bytes that may be under way. */
  window: number;
  sink: Sink;
  changed(): void;
}

const CONSUME_BYTES = 32 * 1024;
const CONSUME_MS = 100;
const RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 8_000;
/** Why asking again would be answered the same. */
const FINAL = new Set(["not_found", "forbidden", "invalid", "unauthenticated"]);

export class Follower {
  state: FollowState = { kind: "attaching" };
  epoch: string | undefined;
  /** The offset up to which everything is shown, or known to be left out. */
  at = 0;
  gaps: Gap[] = [];
  private feed: Feed = NO_FEED;
  /** Counts attachments, so that what an earlier one still says is passed over. */
  private attachment = 0;
  private attached = false;
  private fresh = true;
  private exit: TerminalExit | undefined;
  private consumed = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private closed = false;
  private readonly unwatch: () => void;

  constructor(private readonly options: FollowOptions) {
    this.unwatch = options.caller.watch(() => this.linkChanged());
    this.attach();
  }

  /** The open call's number, by which a link tells how far the terminal is. */
  get stream(): number | undefined {
    return this.attached ? this.feed.id : undefined;
  }

  close(): void {
    this.closed = true;
    this.attachment += 1;
    this.unwatch();
    clearTimeout(this.timer);
    clearTimeout(this.retry);
    this.feed.cancel();
  }

  private linkChanged(): void {
    const linked = this.options.caller.snapshot().status === "linked";
    if (linked && !this.attached && (this.state.kind === "offline" || this.state.kind === "retrying")) this.attach();
  }

  private attach(): void {
    if (this.closed || this.exit) return;
    clearTimeout(this.retry);
    const { caller, terminal, window } = this.options;
    if (caller.snapshot().status !== "linked") return this.set({ kind: "offline" });
    const mine = ++this.attachment;
    this.feed.cancel();
    this.attached = true;
    this.fresh = true;
    this.consumed = 0;
    if (this.state.kind !== "live") this.set({ kind: "attaching" });
    const from = this.epoch === undefined ? { have: 0 } : { epoch: this.epoch, have: this.at };
    this.feed = caller.feed("terminals.attach", { terminal, window, ...from }, {
      record: (record) => mine === this.attachment && this.take(record, mine),
      end: (error) => mine === this.attachment && this.ended(error),
    });
  }

  private take(record: FeedRecord, mine: number): void {
    const content = contentOf(record);
    const used = () => mine === this.attachment && this.consume(record.bytes.length);
    if (!content) return void used();
    this.failures = 0;
    if (record.epoch !== this.epoch) {
      // Another run behind the same name: what is shown is not its beginning.
      if (this.epoch !== undefined) this.options.sink.clear();
      this.epoch = record.epoch;
      this.at = 0;
      this.gaps = [];
    }
    const first = this.fresh;
    this.fresh = false;
    switch (content.kind) {
      case "data":
        this.data(record.offset, content.bytes, first, used);
        break;
      case "snapshot":
        // Older than what is shown: nothing is taken back.
        if (record.offset < this.at) {
          used();
          break;
        }
        this.skip(this.at, record.offset, this.at > 0);
        this.at = record.offset;
        this.options.sink.clear(content.size);
        this.options.sink.write(content.bytes, used);
        break;
      case "gap":
        this.skip(Math.max(content.from, this.at), content.to, true);
        used();
        break;
      case "resize":
        if (record.offset >= this.at) this.options.sink.resize(content.size);
        used();
        break;
      case "exit":
        this.exit = content.exit;
        used();
        return this.set({ kind: "ended", exit: content.exit });
    }
    if (this.state.kind !== "live" && this.state.kind !== "ended") this.set({ kind: "live" });
  }

  private data(offset: number, bytes: Uint8Array, first: boolean, used: () => void): void {
    const end = offset + bytes.length;
    if (offset > this.at) {
      // Nobody said that something is left out. Asked once more for it; if it is gone, that is shown.
      if (!first) return this.attach();
      this.skip(this.at, offset, true);
    }
    if (end <= this.at) return used();
    const fresh = bytes.subarray(this.at - offset);
    this.at = end;
    this.options.sink.write(fresh, used);
  }

  private skip(from: number, to: number, told: boolean): void {
    if (to <= from) return;
    this.at = Math.max(this.at, to);
    if (!told) return;
    const last = this.gaps.at(-1);
    if (last?.to === from) last.to = to;
    else this.gaps = [...this.gaps, { from, to }];
    this.options.changed();
  }

  private consume(bytes: number): void {
    this.consumed += bytes;
    if (this.consumed >= CONSUME_BYTES) return this.report();
    this.timer ??= setTimeout(() => this.report(), CONSUME_MS);
  }

  private report(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.consumed > 0) this.feed.consume(this.consumed);
    this.consumed = 0;
  }

  private ended(error: ApiError | undefined): void {
    this.attached = false;
    this.attachment += 1;
    this.feed = NO_FEED;
    if (this.exit) return;
    if (error?.reason === "link_closed") return this.set({ kind: "offline" });
    if (error && FINAL.has(error.code)) return this.set({ kind: "failed", error });
    // The link dropped some records: they are fetched again from what is shown.
    if (error?.reason === "lagging") return this.attach();
    this.set({ kind: "retrying", error });
    const wait = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** this.failures++);
    this.retry = setTimeout(() => this.attach(), wait);
  }

  private set(state: FollowState): void {
    this.state = state;
    this.options.changed();
  }
}
