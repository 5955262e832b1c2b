import type { Change } from "./api.gen.ts";
import { ApiError, type Caller, type Params, type Result, type UnaryMethod } from "./rpc.ts";

/** What is known of one read. Replaced, never changed, so that React can compare. */
export interface Reading<T> {
  value?: T;
  error?: ApiError;
  loading: boolean;
  /** When the present read began, to show progress only after a while. */
  since: number;
}

interface Entry {
  method: UnaryMethod;
  params: Record<string, unknown>;
  reading: Reading<unknown>;
  watchers: Set<() => void>;
  stale: boolean;
  /** The read that is under way; it never rejects. */
  running?: Promise<void> | undefined;
  readAt: number;
  timer?: ReturnType<typeof setTimeout>;
}

/** A read follows a change when its row says so. A method without a row is re-read on reconnect only. */
const follows: { [M in UnaryMethod]?: (change: Change, params: Params<M>) => boolean } = {
  "projects.list": (c) => c.topic === "project",
  "sessions.list": (c) => c.topic === "session" || c.topic === "project",
  "sessions.get": (c, p) => c.topic === "session" && c.id === p.session,
  "discovery.files": (c, p) => c.topic === "session" && c.id === p.session,
  "models.list": (c) => c.topic === "account",
  "account.status": (c) => c.topic === "account",
  "approvals.get": (c, p) => c.topic === "approval" && c.id === p.approval,
  "plans.list": (c, p) => c.topic === "plan" && (c.session === undefined || c.session === p.session),
  "plans.get": (c, p) => c.topic === "plan" && c.id === p.plan,
  "plans.versions": (c, p) => c.topic === "plan" && c.id === p.plan,
  "plans.compare": (c, p) => c.topic === "plan" && p.plans.includes(c.id),
  "jobs.list": (c) => c.topic === "job" || c.topic === "approval",
  "jobs.get": (c, p) => c.topic === "job" && c.id === p.job,
  "tasks.suggestion": (c, p) => c.topic === "job" && c.id === p.job,
  "tasks.history": (c, p) => c.topic === "session" && c.id === p.session,
  "terminals.list": (c) => c.topic === "terminal",
  "devices.list": (c) => c.topic === "device",
  "devices.status": (c) => c.topic === "device" || c.topic === "account",
  "research.list": (c, p) => ((c.topic === "job" || c.topic === "approval") && (c.session === undefined || c.session === p.session)) || (c.topic === "session" && c.id === p.session),
  "approvals.permissions": (c) => c.topic === "approval" || c.topic === "job",
  "settings.get": (c) => c.topic === "settings",
  "prompts.list": (c, p) => c.topic === "prompt" && c.id === p.project,
  "templates.list": (c, p) => c.topic === "template" && c.id === p.project,
  "usage.by": (c) => c.topic === "job" || c.topic === "plan",
  "usage.since": (c) => c.topic === "job" || c.topic === "plan",
};

const NOTHING: Reading<never> = Object.freeze({ loading: true, since: 0 });
/** Changes come in bursts while a plan streams; one read answers them all. */
const REREAD_MS = 250;

export const keyOf = (method: string, params: object): string => `${method} ${JSON.stringify(params)}`;

/** The state of one engine as far as anyone looked at it. */
export class Store {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly caller: Caller,
    private readonly now: () => number = Date.now,
  ) {}

  /** What is known now. Never fetches. */
  peek<M extends UnaryMethod>(method: M, params: Params<M>): Reading<Result<M>> {
    return (this.entries.get(keyOf(method, params))?.reading ?? NOTHING) as Reading<Result<M>>;
  }

  /** Keeps a read up to date until the returned function is called. */
  watch<M extends UnaryMethod>(method: M, params: Params<M>, notify: () => void): () => void {
    const entry = this.entry(method, params);
    entry.watchers.add(notify);
    if (entry.stale) void this.fetch(entry);
    return () => void entry.watchers.delete(notify);
  }

  /** Takes a value that another call returned. */
  put<M extends UnaryMethod>(method: M, params: Params<M>, value: Result<M>): void {
    const entry = this.entry(method, params);
    entry.stale = false;
    entry.readAt = this.now();
    this.set(entry, { value, loading: false, since: 0 });
  }

  /** Reads again now; resolves when something is known that was asked for after this call. */
  async refresh<M extends UnaryMethod>(method: M, params: Params<M>): Promise<void> {
    const entry = this.entry(method, params);
    // A read that is under way may have been answered before what makes the caller ask.
    await entry.running;
    await this.fetch(entry);
  }

  /** Re-reads what follows `change`. */
  changed(change: Change): void {
    if (change.topic === "ready" || change.topic === "gap") return this.invalidate();
    for (const entry of this.entries.values()) {
      const row = follows[entry.method] as ((c: Change, p: object) => boolean) | undefined;
      if (row?.(change, entry.params)) this.spoil(entry);
    }
  }

  /** Re-reads everything that is shown. */
  invalidate(): void {
    for (const entry of this.entries.values()) this.spoil(entry);
  }

  private entry(method: UnaryMethod, params: object): Entry {
    const key = keyOf(method, params);
    let entry = this.entries.get(key);
    if (!entry) {
      entry = {
        method,
        params: params as Record<string, unknown>,
        reading: { loading: true, since: this.now() },
        watchers: new Set(),
        stale: true,
        readAt: 0,
      };
      this.entries.set(key, entry);
    }
    return entry;
  }

  private spoil(entry: Entry): void {
    entry.stale = true;
    if (entry.watchers.size === 0 || entry.running || entry.timer !== undefined) return;
    const wait = Math.max(0, entry.readAt + REREAD_MS - this.now());
    entry.timer = setTimeout(() => {
      entry.timer = undefined;
      if (entry.stale && entry.watchers.size > 0) void this.fetch(entry);
    }, wait);
  }

  private fetch(entry: Entry): Promise<void> {
    entry.running ??= this.read(entry).finally(() => {
      entry.running = undefined;
      entry.readAt = this.now();
      if (entry.stale && entry.reading.error?.reason !== "link_closed") this.spoil(entry);
    });
    return entry.running;
  }

  private async read(entry: Entry): Promise<void> {
    entry.stale = false;
    if (entry.reading.value === undefined && !entry.reading.loading) {
      this.set(entry, { loading: true, since: this.now() });
    }
    try {
      const value = await this.caller.call(entry.method, entry.params as never);
      this.set(entry, { value, loading: false, since: 0 });
    } catch (error) {
      const shown = error instanceof ApiError ? error : new ApiError("internal", "", String(error));
      // What was read before stays visible; a lost connection is shown elsewhere.
      if (shown.reason === "link_closed") entry.stale = true;
      this.set(entry, { value: entry.reading.value, error: shown, loading: false, since: 0 });
    }
  }

  private set(entry: Entry, reading: Reading<unknown>): void {
    entry.reading = reading;
    for (const notify of [...entry.watchers]) notify();
  }
}
