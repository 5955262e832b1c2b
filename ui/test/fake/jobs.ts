import type { Job, Manifest } from "#client/api.gen.ts";
import type { FakeEngine } from "./engine.ts";

/** A job that waits for the person, with what it asks. */
export function waits(engine: FakeEngine, job: Job, manifest: Manifest): Job {
  engine.world.others = [manifest, ...(engine.world.others ?? [])];
  engine.world.jobs = [job, ...engine.world.jobs];
  return job;
}

/** Says how far a job of one of these kinds is; nothing where the job is of another. */
export function underWay(engine: FakeEngine, id: string, workflows: string[]): { job: Job; set(over: Partial<Job>): void } | undefined {
  const job = engine.world.jobs.find((j) => j.id === id && workflows.includes(j.workflow));
  if (!job) return undefined;
  return {
    job,
    set: (over) => {
      engine.world.jobs = engine.world.jobs.map((j) => (j.id === id ? { ...j, ...over, updated_at: Date.now() } : j));
      engine.tell({ topic: "job", id, session: job.session });
    },
  };
}

/** What was approved is answered a moment later, but for where it is to be looked at while it goes on. */
export function answers(engine: FakeEngine, set: (over: Partial<Job>) => void, ms: number, then: () => void): void {
  set({ state: "running", note: "The answer is being written." });
  if (!engine.world.helpStops) setTimeout(then, ms);
}
