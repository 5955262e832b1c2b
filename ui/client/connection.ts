import { API_VERSION, type Greeting } from "./api.gen.ts";
import type { Dial, Link } from "./link.ts";
import { Keys } from "./once.ts";
import {
  linkClosed,
  NO_FEED,
  Rpc,
  type Caller,
  type Feed,
  type FeedHandlers,
  type FeedMethod,
  type Params,
  type Result,
  type StreamHandlers,
  type StreamMethod,
  type UnaryMethod,
} from "./rpc.ts";
import { redialDelay } from "./socket.ts";
import { Store } from "./store.ts";

export type LinkStatus = "connecting" | "linked" | "lost" | "refused" | "too_old";

export interface LinkState {
  status: LinkStatus;
  /** The engine last spoken to; stays while the link is lost. */
  greeting?: Greeting;
  /** When the next dial happens, while lost. */
  retryAt?: number;
}

export interface Environment {
  /** Whether the host answers at all: then a link that does not open was refused. */
  hostAnswers(): Promise<boolean>;
  random(): number;
  now(): number;
  client: string;
}

/** A connection to one engine that dials again when it is lost. Calls fail at once while it is. */
export class Connection implements Caller {
  state: LinkState = { status: "connecting" };
  /** Replaced when another engine answers. */
  store: Store;
  private rpc?: Rpc;
  private link?: Link;
  private attempt = 0;
  private refusals = 0;
  private timer?: ReturnType<typeof setTimeout>;
  private readonly watchers = new Set<() => void>();
  private readonly keys: Keys;

  constructor(
    private readonly dial: Dial,
    private readonly env: Environment,
  ) {
    this.keys = new Keys(env.now);
    this.store = new Store(this, env.now);
    this.connect();
  }

  call<M extends UnaryMethod>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>> {
    return this.keys.once(method, params, (key) => {
      if (!this.rpc || this.state.status !== "linked") return Promise.reject(linkClosed());
      return this.rpc.call(method, params, signal, key);
    });
  }

  subscribe<M extends StreamMethod>(method: M, params: Params<M>, on: StreamHandlers<Result<M>>): () => void {
    if (!this.rpc || this.state.status !== "linked") {
      queueMicrotask(() => on.end(linkClosed()));
      return () => {};
    }
    return this.rpc.subscribe(method, params, on);
  }

  feed<M extends FeedMethod>(method: M, params: Params<M>, on: FeedHandlers): Feed {
    if (!this.rpc || this.state.status !== "linked") {
      queueMicrotask(() => on.end(linkClosed()));
      return NO_FEED;
    }
    return this.rpc.feed(method, params, on);
  }

  watch = (notify: () => void): (() => void) => {
    this.watchers.add(notify);
    return () => void this.watchers.delete(notify);
  };

  snapshot = (): LinkState => this.state;

  /** Dials now instead of when the wait is over. */
  redialNow(): void {
    if (this.state.status !== "lost") return;
    clearTimeout(this.timer);
    this.connect();
  }

  close(): void {
    clearTimeout(this.timer);
    const link = this.link;
    this.link = undefined;
    this.rpc?.close();
    link?.close();
  }

  private connect(): void {
    let opened = false;
    const link: Link = this.dial({
      opened: () => {
        if (this.link !== link) return;
        opened = true;
        this.greet(link);
      },
      text: (text) => {
        if (this.link === link) this.rpc?.receive(text);
      },
      binary: (bytes) => {
        if (this.link === link) this.rpc?.receiveRecord(bytes);
      },
      closed: () => {
        if (this.link === link) void this.lost(opened);
      },
    });
    this.link = link;
    if (this.state.status !== "lost") this.set({ ...this.state, status: "connecting" });
  }

  private greet(link: Link): void {
    const rpc = new Rpc((text) => link.send(text));
    this.rpc = rpc;
    rpc.call("system.hello", { api: API_VERSION, client: this.env.client }).then(
      (greeting) => {
        if (this.rpc !== rpc) return;
        this.attempt = 0;
        this.refusals = 0;
        if (this.state.greeting && this.state.greeting.engine !== greeting.engine) {
          this.store = new Store(this, this.env.now);
        }
        this.set({ status: greeting.api === API_VERSION ? "linked" : "too_old", greeting });
        this.follow(rpc);
      },
      () => link.close(),
    );
  }

  private follow(rpc: Rpc): void {
    rpc.subscribe("events.watch", {}, {
      item: (change) => this.store.changed(change),
      end: (error) => {
        // A stream that ended alone would leave the page silently behind: begin anew.
        if (this.rpc === rpc && error?.reason !== "link_closed") this.link?.close();
      },
    });
  }

  private async lost(opened: boolean): Promise<void> {
    this.rpc?.close();
    this.rpc = undefined;
    this.link = undefined;
    if (!opened && (await this.env.hostAnswers())) {
      // The host is there and does not let this page in: a new engine process made new tokens.
      this.refusals += 1;
      if (this.refusals >= 2) return this.set({ ...this.state, status: "refused", retryAt: undefined });
    }
    const wait = redialDelay(this.attempt, this.env.random);
    this.attempt += 1;
    this.set({ ...this.state, status: "lost", retryAt: this.env.now() + wait });
    this.timer = setTimeout(() => this.connect(), wait);
  }

  private set(state: LinkState): void {
    this.state = state;
    for (const notify of [...this.watchers]) notify();
  }
}
