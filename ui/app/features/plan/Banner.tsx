import { CircleStop } from "lucide-react";
import { useEffect, useState } from "react";
import type { Plan } from "#client/api.gen.ts";
import { Actions, Button } from "#kit/core.tsx";
import { compact, money } from "#kit/format.ts";
import { CopyButton, Note, Progress } from "#kit/states.tsx";
import { RelativeTime, Seen } from "#kit/values.tsx";
import { useAction } from "../../actions.tsx";
import { useEngine, useMay, useRead, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { go } from "../../route.ts";
import { w } from "../../words.ts";
import type { SessionView } from "../sessions/view.ts";
import { useModel } from "../account/useModel.ts";
import css from "./plan.module.css";
import type { Review } from "./review.ts";
import { ReviewLine } from "./ReviewLine.tsx";

interface BannerProps {
  plan: Plan;
  characters: number;
  view: SessionView;
  active: boolean;
  /** Absent while it is written. */
  review: Review | undefined;
}

/** How far the plan is, who wrote it, what it cost, and what to do when something is wrong. */
export function Banner({ plan, characters, view, active, review }: BannerProps) {
  return (
    <>
      {plan.state === "streaming" ? <Writing plan={plan} characters={characters} active={active} /> : <Done plan={plan} />}
      {(plan.state === "cut" || plan.state === "unreadable") && <Trouble plan={plan} view={view} active={active} review={review} />}
    </>
  );
}

function Writing({ plan, characters, active }: { plan: Plan; characters: number; active: boolean }) {
  const { connection } = useEngine();
  const task = useTask();
  const stop = () =>
    task.run(async () => {
      await connection.call("jobs.cancel", { job: plan.job });
    });
  useAction({ id: "plan.stop", label: w.plan.stop, keys: "Mod+.", run: stop, here: active });
  const spoken = useThrottled(w.plan.steps(plan.steps.length), 5000);
  return (
    <div className={css.banner}>
      <div className={css.facts}>
        <span>{plan.steps.length === 0 && characters === 0 ? w.plan.waitingFirst : w.plan.writing}</span>
        {plan.steps.length > 0 && <span>{w.plan.steps(plan.steps.length)}</span>}
        {characters > 0 && <span>{w.plan.chars(characters)}</span>}
        <Button look="plain" keys="Mod+." onClick={stop} disabled={task.busy}><CircleStop size={16} aria-hidden="true" />{w.plan.stop}</Button>
      </div>
      <Progress label={w.plan.writing} />
      <ErrorNote error={task.error} />
      <span className="sr" role="status">{spoken}</span>
    </div>
  );
}

/** Spoken at most this often, so that a stream does not talk over everything. */
function useThrottled(text: string, ms: number): string {
  const [said, setSaid] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSaid(text), ms);
    return () => clearTimeout(timer);
  }, [text, ms]);
  return said;
}

function Done({ plan }: { plan: Plan }) {
  const mayEdit = useMay("edit");
  const job = useRead("jobs.get", { job: plan.job }).value;
  const manifest = useRead("approvals.get", job?.approval === undefined ? null : { approval: job.approval }).value;
  const { usage, served } = plan;
  const estimate = manifest?.cost_estimate === undefined ? undefined : money(manifest.cost_estimate);
  const findings = w.plan.findings(plan.errors, plan.warnings) || w.plan.noFindings;
  return (
    <div className={css.banner}>
      <div className={css.facts}>
        <span data-state={plan.state} className={css.state}>{w.plan.states[plan.state]}</span>
        <span>{w.plan.steps(plan.step_count)}</span>
        {plan.step_count > 0 && <span>{findings}</span>}
        {served && <span>{w.plan.by} <b><Seen text={served.model} /></b> {w.models.at} <Seen text={served.provider} /></span>}
        {usage && (
          <span title={usage.estimated ? w.plan.estimated : undefined}>
            {w.plan.usage(compact(usage.input_tokens), compact(usage.output_tokens))}
            {usage.cached_tokens > 0 && `, ${w.plan.cached(compact(usage.cached_tokens))}`}
          </span>
        )}
        {usage && <span>{usage.unpriced ? w.plan.costUnknown : `${usage.estimated ? "≈ " : ""}${w.plan.cost(money(usage.cost), estimate)}`}</span>}
        <span className={css.when}><RelativeTime at={plan.created_at} /></span>
      </div>
      {plan.step_count > 0 && <ReviewLine plan={plan} mayEdit={mayEdit} />}
    </div>
  );
}

function Trouble({ plan, view, active, review }: Pick<BannerProps, "plan" | "view" | "active" | "review">) {
  const { connection } = useEngine();
  const { models, model } = useModel();
  const mayRun = useMay("run");
  const cut = plan.state === "cut";
  const raw = async () => (await connection.call("plans.export", { plan: plan.id, format: "raw", accepted_only: false, keep_invisible: true })).text;
  const none = models !== undefined && !model ? w.files.noModel : undefined;
  const complete = cut && mayRun && review ? () => void review.complete(model?.id) : undefined;
  useAction(complete ? { id: "plan.continue", label: w.review.continueHint, run: complete, reason: none, here: active } : undefined);
  return (
    <div className={css.trouble}>
      <Note tone={cut ? "warning" : "error"} live>
        <p>{cut ? w.plan.cut : w.plan.unreadable} <Seen text={plan.trouble ?? ""} /></p>
        <p className="quiet">{cut ? w.plan.cutNext : w.plan.unreadableNext}</p>
        <Actions>
          {complete && <Button look="primary" reason={none} onClick={complete}>{w.review.continue}</Button>}
          <Button onClick={() => go({ page: "session", session: view.id, station: "files" })}>{w.plan.again}</Button>
          <CopyButton text={raw} words={{ copy: w.plan.raw, copied: w.error.copied }} />
        </Actions>
      </Note>
    </div>
  );
}
