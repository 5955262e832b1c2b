import type { Job, Manifest, Plan, Ranking, Session } from "#client/api.gen.ts";
import type { ApiError } from "#client/rpc.ts";
import { useRead } from "../../engine.tsx";

/** Everything that the stations of a session show, in one place. */
export interface SessionView {
  id: string;
  session: Session | undefined;
  error: ApiError | undefined;
  ranking: Ranking | undefined;
  rankingError: ApiError | undefined;
  included: number;
  /** The newest job of the session. */
  job: Job | undefined;
  manifest: Manifest | undefined;
  manifestError: ApiError | undefined;
  plans: Plan[] | undefined;
}

export function useSessionView(id: string): SessionView {
  const session = useRead("sessions.get", { session: id });
  const ranking = useRead("discovery.files", { session: id });
  const jobs = useRead("jobs.list", {});
  const plans = useRead("plans.list", { session: id });
  const job = jobs.value?.jobs.find((j) => j.session === id && j.workflow === "plan");
  const manifest = useRead("approvals.get", job?.approval === undefined ? null : { approval: job.approval });
  const files = ranking.value ? [...ranking.value.sources, ...ranking.value.tests] : [];
  return {
    id,
    session: session.value,
    error: session.error,
    ranking: ranking.value,
    rankingError: ranking.error,
    included: files.filter((f) => f.included).length,
    job,
    manifest: manifest.value,
    manifestError: manifest.error,
    plans: plans.value?.plans,
  };
}
