import type { Job, Suggestion } from "#client/api.gen.ts";
import { isOpen } from "../jobs/asking.ts";
import { w } from "../../words.ts";

/** The two ways in which a model helps with the words of a task. */
export type HelpWorkflow = "refine" | "improve";
export const helpOf = (job: Job): HelpWorkflow | undefined => (job.workflow === "refine" || job.workflow === "improve" ? job.workflow : undefined);

/** What ended longer ago than this is no news. */
const OLD_MS = 24 * 60 * 60 * 1000;

/** The newest help of a session that its task still has to tell of. `jobs` begins with the newest. */
export function latestHelp(jobs: Job[], dismissed: string, now: number): Job | undefined {
  const job = jobs.find((j) => helpOf(j) !== undefined);
  if (!job || job.id === dismissed) return undefined;
  return isOpen(job) || now - job.updated_at <= OLD_MS ? job : undefined;
}

/** Whether there is something to read: an engine from before does not say what stood there, so that no change can be shown. */
export function readable(suggestion: Suggestion): boolean {
  const before: string | undefined = suggestion.before;
  return suggestion.text !== "" && (suggestion.state === "dropped" || (before !== undefined && before !== suggestion.text));
}

/**
 * Whether the words that this help put into the task are the last that any help did, and stand in it: only then does
 * taking back the last step take back them.
 */
export function isLast(job: Job, kind: HelpWorkflow, suggestion: Suggestion, jobs: Job[], task: string): boolean {
  const later = jobs.some((j) => j.id !== job.id && helpOf(j) !== undefined && j.state === "completed" && j.updated_at >= job.updated_at);
  return !later && suggestion.text !== "" && (kind === "refine" ? task === suggestion.text : task.includes(suggestion.text));
}

/** What became of help that has ended, in words. */
export function outcome(job: Job, suggestion: Suggestion): string {
  if (suggestion.state === "applied") return suggestion.before === suggestion.text ? w.task.help.same : w.task.help.applied;
  return suggestion.state === "dropped" ? w.task.help.dropped : job.note;
}
