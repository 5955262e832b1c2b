import type { Job } from "#client/api.gen.ts";
import type { Store } from "#client/store.ts";
import type { Station } from "../../route.ts";
import { w } from "../../words.ts";

export const isOpen = (job: Job): boolean => !["completed", "failed", "canceled"].includes(job.state);

/** Whether a job still puts together what it would send. */
export const isPreparing = (job: Job): boolean => job.approval === undefined && (job.state === "queued" || job.state === "running");

/**
 * The job of a session that the approval station is about: the newest that waits for the person, else the newest that
 * will, else the newest plan. `jobs` begins with the newest.
 */
export function asking(jobs: Job[]): Job | undefined {
  return jobs.find((j) => j.state === "waiting_approval") ?? jobs.find(isPreparing) ?? jobs.find((j) => j.workflow === "plan");
}

/** Whether a job waits for the person, or will. */
export const asks = (job: Job): boolean => job.state === "waiting_approval" || isPreparing(job);

/**
 * The job that the approval station shows, by its id. `chosen` is the one that the address names, `held` the one that
 * was shown as asking. Neither is ever exchanged for another under the eyes of a person who may be about to answer: one
 * that has ended stays, as one that is not in the list.
 */
export const shownJob = (jobs: Job[], chosen: string | undefined, held: string | undefined): string | undefined => chosen ?? held ?? asking(jobs)?.id;

/** Where what a job of this kind makes is seen. */
const STATIONS: Record<string, Station> = { find: "files", refine: "task", improve: "task", research: "files", look_up: "files" };
export const resultStation = (workflow: string): Station => STATIONS[workflow] ?? "plan";

/** Questions come several at a time, each with its own request: who answers one goes on to the next. */
export const staysAfter = (workflow: string): boolean => workflow === "research" || workflow === "look_up";

/** Where a job is seen now. */
export function stationOf(job: Job): Station {
  if (job.state === "waiting_approval") return "approve";
  if (job.workflow === "plan" && (job.state === "queued" || job.state === "paused")) return "approve";
  return resultStation(job.workflow);
}

/** What is said of a request that was just made: it may be put together still, and a standing permission may cover it. */
export function requestSaid(job: Job | undefined): string {
  if (job?.state === "waiting_approval") return w.approve.asks;
  return job === undefined || isPreparing(job) ? w.approve.preparingIt : w.approve.goesOn;
}

/** The same of a job as it is known now; `made` is how it was begun. */
export const saidOf = (store: Pick<Store, "peek">, id: string | undefined, made?: Job): string =>
  requestSaid(store.peek("jobs.list", {}).value?.jobs.find((j) => j.id === id) ?? made);
