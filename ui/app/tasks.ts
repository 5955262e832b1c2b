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
      (error: unknown) => this.set(key, { busy: false, error: asApiError(error) }),
    );
    return true;
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
