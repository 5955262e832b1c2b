import { drawn } from "./drawn.ts";
import { ApiError, type Params, type UnaryMethod } from "./rpc.ts";

/** Calls that make something, or that something is asked and paid for by: made twice they have their effect twice. */
const MAKING: ReadonlySet<UnaryMethod> = new Set<UnaryMethod>([
  "sessions.create", "sessions.import", "tasks.refine", "tasks.improve", "discovery.deepen", "research.start",
  "approvals.approve", "jobs.retry", "terminals.start",
  "plans.start", "plans.draft", "plans.complete", "plans.ask_step", "plans.merge", "plans.merge_by_model", "plans.edit_step",
  "plans.comment", "plans.save",
]);

/** For how long, in milliseconds, a call whose answer was lost is the same one when it is made again. Who asks later means anew. */
const SAME_MS = 120_000;

interface Held {
  key: string;
  /** Calls under way with it. */
  open: number;
  /** When the answer of the last one was lost. */
  lostAt: number;
}

/**
 * The keys under which an engine gives one effect to a call that is made again: pressed twice, or once more because the link
 * was lost before the answer came. A key is held until the engine has answered.
 */
export class Keys {
  private readonly held = new Map<string, Held>();

  constructor(private readonly now: () => number) {}

  /** Makes a call, with a key where that is needed. */
  async once<M extends UnaryMethod, T>(method: M, params: Params<M>, call: (key?: string) => Promise<T>): Promise<T> {
    if (!MAKING.has(method)) return call();
    this.forgetOld();
    const name = `${method} ${JSON.stringify(params)}`;
    const held = this.held.get(name) ?? { key: drawn(), open: 0, lostAt: 0 };
    this.held.set(name, held);
    held.open += 1;
    let lost = false;
    try {
      return await call(held.key);
    } catch (error) {
      lost = error instanceof ApiError && error.reason === "link_closed";
      throw error;
    } finally {
      held.open -= 1;
      if (lost) held.lostAt = this.now();
      else if (this.held.get(name) === held) this.held.delete(name);
    }
  }

  private forgetOld(): void {
    const now = this.now();
    for (const [name, held] of this.held) if (held.open === 0 && now - held.lostAt > SAME_MS) this.held.delete(name);
  }
}
