import type { Job } from "#client/api.gen.ts";
import { Note } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { w } from "../../words.ts";

/** Why a job ended without what it was to make. */
export function JobNote({ job }: { job: Job }) {
  if (job.state !== "failed" && job.state !== "canceled") return null;
  return (
    <Note tone={job.state === "failed" ? "error" : "info"}>
      <p>{job.state === "failed" && job.workflow === "plan" ? `${w.plan.failed} ` : ""}<Seen text={job.note} /></p>
    </Note>
  );
}
