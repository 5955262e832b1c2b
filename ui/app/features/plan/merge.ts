import type { Job, MergeByModel, Plan, StepSource } from "#client/api.gen.ts";
import { asApiError, type Engine } from "../../engine.tsx";

/** Under which name asking for a merge goes on, whatever is closed or opened meanwhile. */
export const mergeTask = (session: string): string => `plan.merge.${session}`;

/** The same for a plan that is put together by hand. */
export const handTask = (session: string): string => `plan.merge.hand.${session}`;

/** Under which name is kept what is wanted of a merge. */
export const mergeWish = (session: string): string => `merge.wish.${session}`;

interface Wanted {
  session: string;
  plans: string[];
  wish: string;
  model: string | undefined;
}

/** Asks a model to make one plan of several; `then` hears of the job that asks the person first. Tells whether it was taken. */
export function askMerge({ connection, tasks }: Pick<Engine, "connection" | "tasks">, { session, plans, wish, model }: Wanted, then: (job: Job) => void): Promise<boolean> {
  const what: MergeByModel = { plans, ...(wish === "" ? {} : { wish }), ...(model === undefined ? {} : { model }) };
  return new Promise((taken) => {
    const begun = tasks.run(mergeTask(session), async () => {
      try {
        const job = await connection.call("plans.merge_by_model", what);
        taken(true);
        await connection.store.refresh("jobs.list", {});
        then(job);
      } finally {
        taken(false);
      }
    });
    if (!begun) taken(false);
  });
}

interface Chosen {
  session: string;
  /** The plans as they are shown. */
  plans: Plan[];
  steps: StepSource[];
}

/** Makes a plan of steps of several, once while it is under way; `then` hears of it. Tells whether it began. */
export function mergeByHand({ connection, tasks }: Pick<Engine, "connection" | "tasks">, { session, plans, steps }: Chosen, then: (made: Plan) => void): boolean {
  return tasks.run(handTask(session), async () => {
    const shown = plans.filter((p) => steps.some((s) => s.plan === p.id)).map((p) => ({ plan: p.id, version: p.version }));
    const made = await connection.call("plans.merge", { steps, shown }).catch(async (error: unknown) => {
      // The numbers of what is shown mean other steps by now: who presses again has seen what there is.
      if (asApiError(error).reason === "plan_changed") await connection.store.refresh("plans.compare", { plans: plans.map((p) => p.id) });
      throw error;
    });
    connection.store.put("plans.get", { plan: made.id }, made);
    await connection.store.refresh("plans.list", { session });
    then(made);
  });
}
