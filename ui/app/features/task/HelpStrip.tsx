import { CircleStop, Hourglass, LoaderCircle, PenLine, X, type LucideIcon } from "lucide-react";
import { useState, type ReactNode } from "react";
import type { Job, Suggestion } from "#client/api.gen.ts";
import { ApiError } from "#client/rpc.ts";
import { Button, IconButton } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { toasts } from "#kit/overlays.tsx";
import { Note } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { useAction } from "../../actions.tsx";
import { useEngine, useMay, useRead, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { usePref } from "../../prefs.ts";
import { href } from "../../route.ts";
import { w } from "../../words.ts";
import { isOpen, isPreparing } from "../jobs/asking.ts";
import jobs from "../jobs/jobs.module.css";
import type { SessionView } from "../sessions/view.ts";
import { ChangeSheet } from "./ChangeSheet.tsx";
import type { Draft } from "./draft.ts";
import { replaceOnce } from "./passage.ts";
import { helpOf, isLast, latestHelp, outcome, readable, type HelpWorkflow } from "./suggestions.ts";
import css from "./task.module.css";

interface HelpStripProps {
  view: SessionView;
  draft: Draft;
  active: boolean;
}

/** What the newest help of this session is doing, or what came of it, until the person has seen it. */
export function HelpStrip({ view, draft, active }: HelpStripProps) {
  const { prefs } = useEngine();
  const [dismissed, dismiss] = usePref(prefs, `help.dismissed.${view.id}`, "");
  const job = latestHelp(view.jobs, dismissed, Date.now());
  const kind = job && helpOf(job);
  if (!job || !kind) return null;
  if (isOpen(job)) return <Working key={job.id} job={job} kind={kind} active={active} />;
  return <Ended key={job.id} job={job} kind={kind} all={view.jobs} draft={draft} dismiss={() => dismiss(job.id)} />;
}

/** One line: what is the case, and what can be done about it. */
export function Line({ icon: Icon, spin, text, children }: { icon: LucideIcon; spin?: boolean; text: string; children: ReactNode }) {
  return (
    <div className={css.line}>
      <Icon size={16} aria-hidden="true" className={spin ? jobs.spin : undefined} />
      <span className={css.said} role="status"><Seen text={text} /></span>
      <span className={css.can}>{children}</span>
    </div>
  );
}

function Working({ job, kind, active }: { job: Job; kind: HelpWorkflow; active: boolean }) {
  const { connection } = useEngine();
  const may = useMay("run");
  const task = useTask();
  const manifest = useRead("approvals.get", job.approval === undefined ? null : { approval: job.approval }).value;
  const waiting = job.state === "waiting_approval";
  const stop = () =>
    task.run(async () => {
      await connection.call("jobs.cancel", { job: job.id });
      await connection.store.refresh("jobs.list", {});
    });
  useAction(active && may && !waiting ? { id: "help.stop", label: `${w.stop}: ${w.jobs.workflows[kind] ?? kind}`, keys: "Mod+.", run: stop, here: true } : undefined);
  const to = manifest?.destinations[0];
  const who = to ? `${to.model} ${w.models.at} ${to.provider}` : w.task.help.someone;
  const text = waiting ? w.task.help.waiting[kind]
    : isPreparing(job) ? w.task.help.preparing
    : job.state === "running" || job.state === "queued" ? w.task.help.running[kind](who) : job.note;
  return (
    <div className={css.strip} role="group" aria-label={w.task.help.label}>
      <Line icon={waiting ? Hourglass : LoaderCircle} spin={job.state === "running"} text={text}>
        {waiting && <a className={kit.button} href={href({ page: "session", session: job.session, station: "approve", job: job.id })}>{w.task.help.look}</a>}
        {may && !waiting && <Button look="plain" keys={active ? "Mod+." : undefined} disabled={task.busy} onClick={stop}><CircleStop size={16} aria-hidden="true" />{w.stop}</Button>}
      </Line>
      <ErrorNote error={task.error} />
    </div>
  );
}

interface EndedProps {
  job: Job;
  kind: HelpWorkflow;
  /** The jobs of the session. */
  all: Job[];
  draft: Draft;
  dismiss(): void;
}

function Ended(props: EndedProps) {
  const { job, dismiss } = props;
  const { connection } = useEngine();
  const { value: suggestion, error } = useRead("tasks.suggestion", { job: job.id });
  const [open, setOpen] = useState(false);
  const act = useActs(props, suggestion);
  if (!suggestion && !error) return null;
  const reads = suggestion !== undefined && readable(suggestion);
  const applied = suggestion?.state === "applied";
  return (
    <div className={css.strip} role="group" aria-label={w.task.help.label}>
      <Line icon={PenLine} text={suggestion ? outcome(job, suggestion) : job.note}>
        {reads && <Button onClick={() => setOpen(true)}>{applied ? w.task.help.show : w.task.help.read}</Button>}
        {act.undo && <Button reason={act.undoReason} disabled={act.busy} onClick={act.undo}>{w.undo}</Button>}
        <IconButton label={w.task.help.dismiss} onClick={dismiss}><X size={16} /></IconButton>
      </Line>
      {suggestion?.alarm !== undefined && <Note tone="error" live><p><Seen text={suggestion.alarm} /></p></Note>}
      <ErrorNote error={act.error ?? (suggestion ? undefined : error)} again={suggestion ? undefined : () => void connection.store.refresh("tasks.suggestion", { job: job.id })} />
      {suggestion && <ChangeSheet suggestion={suggestion} open={open} onClose={() => setOpen(false)} use={act.use} />}
    </div>
  );
}

/** What can be done with a suggestion here and now. */
function useActs({ job, kind, all, draft, dismiss }: EndedProps, suggestion: Suggestion | undefined) {
  const { connection } = useEngine();
  const mayEdit = useMay("edit");
  const task = useTask();
  const applied = suggestion?.state === "applied" && suggestion.before !== suggestion.text;
  const params = { session: job.session, limit: 1 };
  const latest = useRead("tasks.history", applied ? params : null).value?.steps[0];
  // The last step may meanwhile be what somebody typed, or the words of another help, which this must not take back.
  const stands = () => suggestion !== undefined && isLast(job, kind, suggestion, all, draft.stored.text);
  const last = latest?.origin === "suggested" && draft.state.text === draft.stored.text && stands();
  const undo = () =>
    task.run(async () => {
      await draft.flush();
      const { steps } = await connection.call("tasks.history", params);
      if (steps[0]?.origin !== "suggested" || !stands()) throw new ApiError("conflict", "task_changed", w.task.help.undoReason);
      await draft.move("undo");
      dismiss();
      toasts.add({ title: w.task.help.undone });
    });
  const next = suggestion?.state === "dropped" && kind === "improve" ? replaceOnce(draft.state.text, suggestion.before ?? "", suggestion.text) : undefined;
  const use = () => {
    if (next === undefined) return;
    draft.edit(next);
    void draft.flush().catch(() => {});
    dismiss();
    toasts.add({ title: w.task.help.used });
  };
  return {
    busy: task.busy,
    error: task.error,
    undo: applied && mayEdit ? undo : undefined,
    undoReason: last ? undefined : w.task.help.undoReason,
    use: next !== undefined && mayEdit ? use : undefined,
  };
}
