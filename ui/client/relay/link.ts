/** A link to one desktop, as a `Connection` dials it: a session over the hub, and the terminal records beside it. */
import type { Dial, LinkHandlers } from "../link.ts";
import { equal, RelayError, type Random } from "./bytes.ts";
import type { HubListener } from "./hub.ts";
import type { DeviceKeys } from "./keys.ts";
import { parseFrame } from "./ptc1.ts";
import { Acceptor, streamMessage } from "./record.ts";
import { beginSession, parseBox, SECOND, UNKNOWN, type Control, type Opening, type Plain, type Session } from "./session.ts";

/** How long a desktop may take to answer the beginning of a session. */
const ANSWER_MS = 10_000;
/** Frames that came before their alias, which travels in another lane. */
const EARLY = 64;
/**
 * A stream's end travels in another lane than its records and may be early: it is told when no record of the stream has
 * come for this long.
 */
const END_AFTER_MS = 400;
/** Streams whose aliases are remembered; the oldest goes first. */
const STREAMS = 64;

/** What is used of a `Hub`. */
export interface Carrier {
  send(to: string, bytes: Uint8Array): void;
  listen(listener: HubListener): () => void;
}

export interface RelayDialOptions {
  hub: Carrier;
  keys: DeviceKeys;
  /** This phone's device id. */
  phone: string;
  /** The desktop's device id and X25519 key. */
  desktop: string;
  desktopKey: Uint8Array;
  random: Random;
  now(): number;
  /** How far the desktop has got with a stream, so that a view that is behind can say so. */
  head?(stream: number, offset: number): void;
}

interface Incoming {
  stream: number;
  acceptor: Acceptor;
}

/** Each dial is a session of its own, so request ids begin anew without ever meeting twice in one. */
export function relayDial(options: RelayDialOptions): Dial {
  return (handlers) => {
    const link = new RelayLink(options, handlers);
    return { send: (text) => link.send(text), close: () => link.close() };
  };
}

class RelayLink implements HubListener {
  private readonly opening: Opening;
  private readonly unlisten: () => void;
  private readonly timer: ReturnType<typeof setTimeout>;
  private session?: Session;
  private readonly streams = new Map<string, Incoming>();
  private early: Uint8Array[] = [];
  /** Ends that wait for the last records, by stream. */
  private readonly ends = new Map<number, { text: string; timer: ReturnType<typeof setTimeout> }>();
  private closed = false;

  constructor(
    private readonly options: RelayDialOptions,
    private readonly handlers: LinkHandlers,
  ) {
    const { hub, keys, phone, desktop, desktopKey, random } = options;
    this.opening = beginSession(keys, { phone, desktop }, desktopKey, random);
    this.unlisten = hub.listen(this);
    this.timer = setTimeout(() => this.close(), ANSWER_MS);
    // Handlers are called later, never during the call.
    queueMicrotask(() => this.post([this.opening.first]));
  }

  send(text: string): void {
    if (!this.session || this.closed) return;
    try {
      this.post(this.session.seal(text, this.options.now()));
    } catch (error) {
      if (error instanceof RelayError && error.reason === "malformed") this.tooLong(text);
      else this.close();
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    for (const { timer } of this.ends.values()) clearTimeout(timer);
    this.unlisten();
    queueMicrotask(() => this.handlers.closed());
  }

  box(from: string, bytes: Uint8Array): void {
    if (from !== this.options.desktop || this.closed) return;
    try {
      const { head } = parseBox(bytes);
      if (!equal(head.session, this.opening.session)) return;
      // Nobody vouches for it, and it can do no more than make this phone begin again.
      if (head.kind === UNKNOWN) return this.close();
      if (head.kind === SECOND) return this.begin(bytes);
      const plain = this.session?.open(bytes);
      if (plain) this.take(plain);
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      if (error.reason === "broken") this.close();
    }
  }

  frame(bytes: Uint8Array): void {
    if (!this.session) return;
    const { session: alias, payload } = parseFrame(bytes);
    const incoming = this.streams.get(alias);
    if (!incoming) {
      // Control goes first, but not through the same queue: a frame may be early, and is kept for its alias.
      this.early = [...this.early, bytes].slice(-EARLY);
      return;
    }
    try {
      const record = incoming.acceptor.take(this.session.records.open(incoming.stream, payload));
      if (record) this.handlers.binary(streamMessage(incoming.stream, record));
      const end = this.ends.get(incoming.stream);
      if (end) this.endLater(incoming.stream, end.text);
    } catch (error) {
      // Forged or out of place: dropped, and what is shown stays right.
      if (!(error instanceof RelayError)) throw error;
    }
  }

  undelivered(to: string): void {
    // The box had its number: without it the session cannot go on. Open calls fail at once.
    if (to === this.options.desktop) this.close();
  }

  gap(): void {
    this.close();
  }

  private begin(second: Uint8Array): void {
    if (this.session) return;
    this.session = this.opening.finish(second, this.options.now());
    clearTimeout(this.timer);
    // What the connection now says is the first box, which confirms the session at the desktop.
    this.handlers.opened();
  }

  private take(plain: Plain): void {
    if (!("api" in plain)) return this.control(plain.control);
    const ended = this.endedStream(plain.api);
    if (ended === undefined) this.handlers.text(plain.api);
    else this.endLater(ended, plain.api);
  }

  /** The stream that a frame ends well, if it has records here. */
  private endedStream(text: string): number | undefined {
    if (this.streams.size === 0 || !text.includes('"$/end"')) return undefined;
    const { method, params } = JSON.parse(text) as { method?: string; params?: { id?: number; error?: unknown } };
    if (method !== "$/end" || params?.error !== undefined) return undefined;
    for (const { stream } of this.streams.values()) if (stream === params?.id) return stream;
    return undefined;
  }

  private endLater(stream: number, text: string): void {
    clearTimeout(this.ends.get(stream)?.timer);
    const timer = setTimeout(() => {
      this.ends.delete(stream);
      if (!this.closed) this.handlers.text(text);
    }, END_AFTER_MS);
    this.ends.set(stream, { text, timer });
  }

  private control(control: Control): void {
    switch (control.type) {
      case "alias":
        return this.alias(control.alias, { stream: control.stream, acceptor: new Acceptor(control.epoch, control.offset) });
      case "lagging":
        return this.lagging(control.stream);
      case "heads":
        for (const { stream, offset } of control.heads) this.options.head?.(stream, offset);
    }
  }

  private alias(alias: string, incoming: Incoming): void {
    this.streams.set(alias, incoming);
    const [oldest] = this.streams.keys();
    if (this.streams.size > STREAMS && oldest !== undefined) this.streams.delete(oldest);
    const early = this.early;
    this.early = [];
    for (const bytes of early) this.frame(bytes);
  }

  /** Records were dropped: the feed ends with a reason, and whoever shows it attaches again from what is shown. */
  private lagging(stream: number): void {
    clearTimeout(this.ends.get(stream)?.timer);
    this.ends.delete(stream);
    for (const [alias, incoming] of this.streams) if (incoming.stream === stream) this.streams.delete(alias);
    this.send(JSON.stringify({ jsonrpc: "2.0", method: "$/cancel", params: { id: stream } }));
    const data = { code: "unavailable", reason: "lagging" };
    const error = { code: -32007, message: "Some output did not arrive; it is fetched again.", data };
    this.handlers.text(JSON.stringify({ jsonrpc: "2.0", method: "$/end", params: { id: stream, error } }));
  }

  private tooLong(text: string): void {
    const { id } = JSON.parse(text) as { id?: number };
    const data = { code: "invalid", reason: "too_large" };
    const error = { code: -32000, message: "This is more than a phone's link carries at once. Nothing was sent.", data };
    queueMicrotask(() => this.handlers.text(JSON.stringify({ jsonrpc: "2.0", id, error })));
  }

  private post(boxes: Uint8Array[]): void {
    try {
      for (const sealed of boxes) this.options.hub.send(this.options.desktop, sealed);
    } catch {
      this.close();
    }
  }
}
