import type { Job, MergeByModel } from "#client/api.gen.ts";
import type { Engine } from "../../engine.tsx";

/** Under which name asking for a merge goes on, whatever is closed or opened meanwhile. */
export const mergeTask = (session: string): string => `plan.merge.${session}`;

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
