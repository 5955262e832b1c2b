import type { FindPhase, Ranking } from "#client/api.gen.ts";
import type { ApiError, Caller } from "#client/rpc.ts";

export interface FindState {
  running: boolean;
  phase: FindPhase;
  done: number;
  total?: number | undefined;
  error?: ApiError | undefined;
}

const IDLE: FindState = Object.freeze({ running: false, phase: "walking", done: 0 });
/** The most files in each of the two lists. */
export const LIMIT = 100;

/** Searches under way; they go on while the person looks elsewhere. */
export class Finds {
  private readonly states = new Map<string, FindState>();
  private readonly stops = new Map<string, () => void>();
  private readonly watchers = new Set<() => void>();

  constructor(
    private readonly caller: Caller,
    private readonly found: (session: string, ranking: Ranking) => void,
  ) {}

  state = (session: string): FindState => this.states.get(session) ?? IDLE;

  start(session: string): void {
    this.stop(session);
    this.set(session, { running: true, phase: "walking", done: 0 });
    const cancel = this.caller.subscribe("discovery.find", { session, limit: LIMIT }, {
      item: (event) => {
        if (event.kind === "found") this.found(session, event.ranking);
        else this.set(session, { running: true, phase: event.phase, done: event.done, total: event.total });
      },
      end: (error) => {
        this.stops.delete(session);
        this.set(session, error && error.code !== "canceled" ? { ...IDLE, error } : IDLE);
      },
    });
    this.stops.set(session, cancel);
  }

  stop(session: string): void {
    const cancel = this.stops.get(session);
    if (!cancel) return;
    this.stops.delete(session);
    cancel();
    this.set(session, IDLE);
  }

  fail(session: string, error: ApiError): void {
    this.set(session, { ...IDLE, error });
  }

  watch = (notify: () => void): (() => void) => {
    this.watchers.add(notify);
    return () => void this.watchers.delete(notify);
  };

  private set(session: string, state: FindState): void {
    this.states.set(session, state);
    for (const notify of [...this.watchers]) notify();
  }
}
