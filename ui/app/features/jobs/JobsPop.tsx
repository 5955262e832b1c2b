import { CircleDashed, LoaderCircle } from "lucide-react";
import { useState } from "react";
import { Button } from "#kit/core.tsx";
import { Pop } from "#kit/overlays.tsx";
import { useRead } from "../../engine.tsx";
import { href } from "../../route.ts";
import { w } from "../../words.ts";
import { isOpen } from "./asking.ts";
import { JobRow } from "./JobRow.tsx";
import css from "./jobs.module.css";

/** The jobs under way, from anywhere. */
export function JobsPop() {
  const jobs = useRead("jobs.list", {}).value?.jobs ?? [];
  const [open, setOpen] = useState(false);
  const under = jobs.filter(isOpen);
  const running = under.some((j) => j.state === "running");
  const close = () => setOpen(false);
  return (
    <Pop
      label={w.jobs.title}
      open={open}
      onOpenChange={setOpen}
      trigger={
        <Button look="plain">
          {running ? <LoaderCircle size={16} className={css.spin} aria-hidden="true" /> : <CircleDashed size={16} aria-hidden="true" />}
          <span className="sr">{under.length > 0 ? w.jobs.running(under.length) : w.jobs.title}</span>
          <span className={css.word} aria-hidden="true">{w.jobs.title}</span>
          {under.length > 0 && <b aria-hidden="true">{under.length}</b>}
        </Button>
      }
    >
      <div className={css.pop}>
        {jobs.length === 0 && <p className={css.none}>{w.jobs.empty}</p>}
        {jobs.slice(0, 6).map((job) => <JobRow key={job.id} job={job} onGo={close} />)}
        {jobs.length > 0 && <a className={css.all} href={href({ page: "jobs" })} onClick={close}>{w.jobs.all}</a>}
      </div>
    </Pop>
  );
}
