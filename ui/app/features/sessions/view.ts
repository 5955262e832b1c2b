import type { Job, Manifest, Plan, Ranking, Session } from "#client/api.gen.ts";
import type { ApiError } from "#client/rpc.ts";
import { useRead } from "../../engine.tsx";
import { asking } from "../jobs/asking.ts";

/** Everything that the stations of a session show, in one place. */
export interface SessionView {
  id: string;
  session: Session | undefined;
  error: ApiError | undefined;
  ranking: Ranking | undefined;
  rankingError: ApiError | undefined;
  included: number;
  /** The jobs of the session, the newest first. */
  jobs: Job[];
  /** The newest job that makes a plan, and what it was approved to send. */
  job: Job | undefined;
  manifest: Manifest | undefined;
  approval: AskedView;
  plans: Plan[] | undefined;
}

/** What waits for the person, of whatever kind; where nothing does, the newest plan's. */
export interface AskedView {
  job: Job | undefined;
  manifest: Manifest | undefined;
  error: ApiError | undefined;
}

export function useSessionView(id: string): SessionView {
  const session = useRead("sessions.get", { session: id });
  const ranking = useRead("discovery.files", { session: id });
  const jobs = useRead("jobs.list", {}).value?.jobs.filter((j) => j.session === id) ?? [];
  const plans = useRead("plans.list", { session: id });
  const job = jobs.find((j) => j.workflow === "plan");
  const manifest = useManifest(job);
  const approval = useAsked(asking(jobs));
  const files = ranking.value ? [...ranking.value.sources, ...ranking.value.tests] : [];
  return {
    id,
    session: session.value,
    error: session.error,
    ranking: ranking.value,
    rankingError: ranking.error,
    included: files.filter((f) => f.included).length,
    jobs,
    job,
    manifest: manifest.value,
    approval,
    plans: plans.value?.plans,
  };
}

const useManifest = (job: Job | undefined) => useRead("approvals.get", job?.approval === undefined ? null : { approval: job.approval });

/** A job with what it asks. */
export function useAsked(job: Job | undefined): AskedView {
  const manifest = useManifest(job);
  return { job, manifest: manifest.value, error: manifest.error };
}
