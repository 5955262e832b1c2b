import type { ApiError } from "#client/rpc.ts";
import { asApiError } from "./engine.tsx";

/** How something that a person began is going. */
export interface TaskState {
  busy: boolean;
  error?: ApiError | undefined;
}
const IDLE: TaskState = Object.freeze({ busy: false });

/**
 * What a person began and what goes on while the place where they did is closed, opened or drawn anew: one at a time for
 * each key, so that two presses are one, with its error until it is begun again.
 */
export class Tasks {
  private readonly states = new Map<string, TaskState>();
  private readonly watchers = new Set<() => void>();
  /** How many places show how something is going. */
  private readonly shown = new Map<string, number>();

  /** `unseen` is told of an error that no place shows. */
  constructor(private readonly unseen: (error: ApiError) => void) {}

  state = (key: string): TaskState => this.states.get(key) ?? IDLE;

  watch = (notify: () => void): (() => void) => {
    this.watchers.add(notify);
    return () => void this.watchers.delete(notify);
  };

  /** Begins it unless the same is under way. Tells whether it began. */
  run(key: string, work: () => Promise<void>): boolean {
    if (this.state(key).busy) return false;
    this.set(key, { busy: true });
    work().then(
      () => this.set(key, IDLE),
      (failure: unknown) => {
        const error = asApiError(failure);
        this.set(key, { busy: false, error });
        if (!this.shown.has(key)) this.unseen(error);
      },
    );
    return true;
  }

  /** For a place that shows how it is going, until the returned function is called: what it ended with was seen once no place is left. */
  show(key: string): () => void {
    this.shown.set(key, (this.shown.get(key) ?? 0) + 1);
    return () => {
      const left = (this.shown.get(key) ?? 1) - 1;
      if (left > 0) return void this.shown.set(key, left);
      this.shown.delete(key);
      this.clear(key);
    };
  }

  /** Forgets an error; what is under way goes on. */
  clear(key: string): void {
    if (!this.state(key).busy) this.set(key, IDLE);
  }

  private set(key: string, state: TaskState): void {
    if (state === this.state(key)) return;
    if (state === IDLE) this.states.delete(key);
    else this.states.set(key, state);
    for (const notify of [...this.watchers]) notify();
  }
}
