import { ListChecks } from "lucide-react";
import { EmptyState, Skeleton } from "#kit/states.tsx";
import { useEngine, useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import shell from "../../shell.module.css";
import { w } from "../../words.ts";
import { JobRow } from "./JobRow.tsx";

/** Every job, the newest first. */
export function JobsPage() {
  const { connection } = useEngine();
  const { value, error } = useRead("jobs.list", {});
  return (
    <div className={shell.page}>
      <h1>{w.jobs.title}</h1>
      {!value && (error ? <ErrorNote error={error} again={() => void connection.store.refresh("jobs.list", {})} /> : <Skeleton label={w.loading} />)}
      {value?.jobs.length === 0 && <EmptyState icon={ListChecks} title={w.jobs.empty} />}
      {value && value.jobs.length > 0 && (
        <ul className={shell.rows} aria-label={w.jobs.title}>
          {value.jobs.map((job) => <li key={job.id}><JobRow job={job} /></li>)}
        </ul>
      )}
    </div>
  );
}
