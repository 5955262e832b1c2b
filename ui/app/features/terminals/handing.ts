import type { HandedOver, Plan, Terminal } from "#client/api.gen.ts";
import { drawn } from "#client/drawn.ts";
import { ApiError } from "#client/rpc.ts";
import { asApiError, type Engine } from "../../engine.tsx";
import type { Tasks } from "../../tasks.ts";
import { w } from "../../words.ts";
import { asked } from "./handOver.ts";

/** What came of a hand-over. */
export interface Handed {
  to: Terminal;
  result: HandedOver;
}

/** What is handed over, of a plan as it is shown. */
interface Wanted {
  plan: Plan;
  step: string | undefined;
  /** Whether steps go about which nobody decided. */
  all: boolean;
}

const targetOf = (plan: string, step: string | undefined): string => `${plan} ${step ?? ""}`;

/** Under which name a hand-over goes on, whatever is closed or opened meanwhile. */
export const handTask = (terminal: string | undefined, plan: string, step: string | undefined): string => `hand.${terminal ?? ""}.${targetOf(plan, step)}`;

/** What goes on in one engine beside the sheets in which it is begun. */
class Handing {
  /** Of what is not known to have happened: asked again, it has no second effect. */
  readonly keys = new Map<string, string>();
  /** To which terminal something is under way. */
  readonly under = new Map<string, string>();
  readonly sheets = new Map<string, Set<(handed: Handed) => void>>();
}
const handings = new WeakMap<Tasks, Handing>();

function handingOf(tasks: Tasks): Handing {
  const known = handings.get(tasks) ?? new Handing();
  handings.set(tasks, known);
  return known;
}

/** The terminal to which this is being handed over now. */
export const underWay = (tasks: Tasks, plan: string, step: string | undefined): string | undefined => handingOf(tasks).under.get(targetOf(plan, step));

/** For a sheet of this plan or step: hears what came of it, also of what was begun in a sheet before, until the returned function is called. */
export function hear(tasks: Tasks, plan: string, step: string | undefined, told: (handed: Handed) => void): () => void {
  const { sheets } = handingOf(tasks);
  const target = targetOf(plan, step);
  const open = sheets.get(target) ?? new Set();
  sheets.set(target, open.add(told));
  return () => void open.delete(told);
}

/** Hands over to a terminal, once while it is under way; `unseen` hears what came of it where no sheet shows it. Tells whether it began. */
export function handOver({ connection, tasks }: Pick<Engine, "connection" | "tasks">, to: Terminal, { plan, step, all }: Wanted, unseen: (handed: Handed) => void): boolean {
  const { keys, under, sheets } = handingOf(tasks);
  const target = targetOf(plan.id, step);
  return tasks.run(handTask(to.id, plan.id, step), async () => {
    under.set(target, to.id);
    try {
      const what = asked(plan, step);
      if (!what) throw new ApiError("not_found", "no_step", w.terminals.handOver.gone);
      // The same key until it is known to have happened, so that a lost answer does not paste twice. Another text is another hand-over.
      const same = `${to.id} ${target} ${plan.version} ${all}`;
      const key = keys.get(same) ?? drawn();
      keys.set(same, key);
      const result = await connection.call("terminals.hand_over", { terminal: to.id, key, plan: plan.id, version: plan.version, all, ...what })
        .catch(async (error: unknown) => {
          // Of what is shown nothing else is handed over: who presses again has seen what there is now.
          if (asApiError(error).reason === "plan_changed") await connection.store.refresh("plans.get", { plan: plan.id });
          throw error;
        });
      keys.delete(same);
      const open = [...(sheets.get(target) ?? [])];
      for (const told of open) told({ to, result });
      if (open.length === 0) unseen({ to, result });
    } finally {
      if (under.get(target) === to.id) under.delete(target);
    }
  });
}
