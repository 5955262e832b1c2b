import { RotateCcw } from "lucide-react";
import { useId, useState, useSyncExternalStore } from "react";
import type { Plan, PlanVersion, StepDiff } from "#client/api.gen.ts";
import { Button } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { Sheet } from "#kit/overlays.tsx";
import { Skeleton } from "#kit/states.tsx";
import { RelativeTime, Seen } from "#kit/values.tsx";
import { useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import { DiffRows } from "./DiffRows.tsx";
import { WHOLE } from "./review.ts";
import css from "./review.module.css";
import { StepTrouble } from "./StepTrouble.tsx";
import type { StepTools } from "./useReview.ts";
import { otherOf, pairOf, placeOf } from "./versions.ts";

const words = w.review.versions;

interface VersionsSheetProps {
  plan: Plan;
  tools: StepTools;
  /** The version that is looked at first; the present one when it is 0. */
  first: number | undefined;
  onClose(): void;
}

/** The versions of a plan, what differs between two, and the way back to one of them. */
export function VersionsSheet({ plan, tools, first, onClose }: VersionsSheetProps) {
  if (first === undefined) return null;
  return (
    <Sheet title={words.title} close={w.close} open onClose={onClose} wide>
      <Body plan={plan} tools={tools} first={first} onClose={onClose} />
    </Sheet>
  );
}

function Body({ plan, tools, first, onClose }: VersionsSheetProps & { first: number }) {
  const { value, error } = useRead("plans.versions", { plan: plan.id });
  const [chosen, choose] = useState(first === 0 ? plan.version : first);
  const [compared, compare] = useState<number>();
  const { review, mayEdit } = tools;
  const status = useSyncExternalStore(review.watch, review.snapshot).get(WHOLE);
  const versions = value?.versions;
  if (!versions) return error ? <ErrorNote error={error} /> : <Skeleton rows={4} label={w.loading} />;
  const other = compared !== undefined && compared !== chosen ? compared : otherOf(chosen, versions);
  const revert = () => void review.revert(chosen, plan.version).then((done) => done && onClose());
  return (
    <>
      <fieldset className={css.versions}>
        <legend className="sr">{words.title}</legend>
        <div>
          {versions.toReversed().map((v) => (
            <Version key={v.number} version={v} now={v.number === plan.version} chosen={v.number === chosen} choose={() => choose(v.number)} />
          ))}
        </div>
      </fieldset>
      {versions.length > 1 && <Compared versions={versions} chosen={chosen} other={other} compare={compare} plan={plan} />}
      <StepTrouble error={status?.error} dismiss={() => review.dismiss(WHOLE)} />
      {mayEdit && versions.length > 1 && (
        <div className={css.editFoot}>
          <div><Button reason={chosen === plan.version ? words.isNow : undefined} aria-busy={status?.busy || undefined} onClick={revert}><RotateCcw size={14} aria-hidden="true" />{words.revert(chosen)}</Button></div>
        </div>
      )}
    </>
  );
}

interface VersionProps {
  version: PlanVersion;
  now: boolean;
  chosen: boolean;
  choose(): void;
}

function Version({ version: v, now, chosen, choose }: VersionProps) {
  return (
    <label className={css.version}>
      <input type="radio" name="version" checked={chosen} onChange={choose} />
      <span className={css.versionNumber}>{v.number}</span>
      <span className={css.versionText}>
        <span><Seen text={v.note} /></span>
        <small>{words.origins[v.origin]}{v.by && <> · <Seen text={v.by} /></>} · <RelativeTime at={v.at} />{now && <> · <b>{words.now}</b></>}</small>
      </span>
    </label>
  );
}

interface ComparedProps {
  plan: Plan;
  versions: PlanVersion[];
  chosen: number;
  other: number;
  compare(version: number): void;
}

function Compared({ plan, versions, chosen, other, compare }: ComparedProps) {
  const id = useId();
  const pair = pairOf(chosen, other);
  const { value, error } = useRead("plans.diff", { plan: plan.id, ...pair });
  return (
    <section className={css.compared} aria-label={words.between(pair.from, pair.to)}>
      <div className={css.with}>
        <label htmlFor={id}>{words.with(chosen)}</label>
        <select id={id} className={kit.input} value={other} onChange={(e) => compare(Number(e.target.value))}>
          {versions.toReversed().filter((v) => v.number !== chosen).map((v) => (
            <option key={v.number} value={v.number}>{v.number === plan.version ? words.optionNow(v.number) : words.option(v.number)}</option>
          ))}
        </select>
      </div>
      {!value && (error ? <ErrorNote error={error} /> : <Skeleton rows={3} label={w.loading} />)}
      {value?.steps.length === 0 && <p className="quiet">{words.same}</p>}
      {value?.steps.map((step) => <Differs key={step.step} step={step} />)}
    </section>
  );
}

function Differs({ step }: { step: StepDiff }) {
  return (
    <div className={css.differs}>
      <h3><Seen text={step.title} /> <small>{placeOf(step)}</small></h3>
      {step.lines.length > 0 && <DiffRows label={words.linesOf(step.title)} rows={step.lines} />}
    </div>
  );
}
