import { GitMerge, PenLine, TriangleAlert } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import type { ComparedRow, Comparison, Plan } from "#client/api.gen.ts";
import { Button, Checkbox } from "#kit/core.tsx";
import { Sheet, toasts } from "#kit/overlays.tsx";
import { Skeleton } from "#kit/states.tsx";
import { Names, Path, RelativeTime, Seen } from "#kit/values.tsx";
import { useEngine, useKeptTask, useMay, useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { fromHere, useSheetLead, type Lead, type SheetLead } from "../../lead.ts";
import type { Route } from "../../route.ts";
import { w } from "../../words.ts";
import { comparable, indexed, letterOf, MOST_PLANS, plansIn, preselected, taken, type Indexed } from "./compare.ts";
import { handTask, mergeByHand, mergeTask } from "./merge.ts";
import { MergeByModel } from "./MergeByModel.tsx";
import { KindMark } from "./OperationView.tsx";
import css from "./review.module.css";
import { useMounted } from "../../useMounted.ts";

const words = w.review.compare;

interface CompareSheetProps {
  plans: Plan[];
  /** The plan that is looked at. */
  current: string | undefined;
  session: string;
  open: boolean;
  onClose(): void;
}

/** Plans of a session side by side, and a plan that is made of steps of them. */
export function CompareSheet({ open, onClose, ...rest }: CompareSheetProps) {
  const { leave, lead, sent } = useSheetLead(open, onClose);
  return <Sheet title={words.title} close={w.close} open={open} onClose={leave} wide returnFocus={!sent}><Body {...rest} follow={lead} /></Sheet>;
}

function Body({ plans, current, session, follow }: Omit<CompareSheetProps, "open" | "onClose"> & { follow: SheetLead }) {
  const { tasks } = useEngine();
  const mounted = useMounted();
  const mayRun = useMay("run");
  const [asking, setAsking] = useState(() => {
    // What was asked before is shown again. It is shown by its form alone: what fails while that is closed is told.
    const { busy, error } = tasks.state(mergeTask(session));
    return busy || error !== undefined;
  });
  const can = comparable(plans);
  const [chosen, setChosen] = useState(() => {
    const first = can.find((p) => p.id === current) ?? can[0];
    return [first, can.find((p) => p !== first)].flatMap((p) => (p ? [p.id] : []));
  });
  const ids = chosen.filter((id) => can.some((p) => p.id === id));
  const { value, error } = useRead("plans.compare", ids.length >= 2 ? { plans: ids } : null);
  const toggle = (id: string) => setChosen(ids.includes(id) ? ids.filter((c) => c !== id) : [...ids, id]);
  return (
    <>
      <fieldset className={css.versions}>
        <legend className="sr">{words.which}</legend>
        <div>
          {can.map((plan) => (
            <label key={plan.id} className={css.version}>
              <Checkbox checked={ids.includes(plan.id)} disabled={!ids.includes(plan.id) && ids.length >= MOST_PLANS} onChange={() => toggle(plan.id)} />
              <span className={css.letter}>{ids.includes(plan.id) ? String.fromCharCode(65 + ids.indexOf(plan.id)) : ""}</span>
              <span className={css.versionText}>
                <span><Seen text={plan.title || w.plan.untitled} /></span>
                <small>{w.plan.states[plan.state]} · {w.plan.steps(plan.step_count)} · <RelativeTime at={plan.created_at} /></small>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      {ids.length < 2 && <p className="quiet">{words.choose}</p>}
      {ids.length >= 2 && !value && (error ? <ErrorNote error={error} /> : <Skeleton rows={4} label={w.loading} />)}
      {value && ids.length >= 2 && (
        <Compared key={ids.join()} comparison={value} session={session} made={(lead, to, said) => follow(mounted.current, lead, to, said)} ask={mayRun && !asking ? () => setAsking(true) : undefined}>
          {mayRun && asking && <MergeByModel session={session} plans={ids} close={() => setAsking(false)} asked={(lead, to, said) => follow(mounted.current, lead, to, said)} />}
        </Compared>
      )}
    </>
  );
}

interface ComparedProps {
  comparison: Comparison;
  session: string;
  /** Called with the way to the plan that was made. */
  made(lead: Lead, to: Route, said: string): void;
  /** Begins to ask a model; absent while that is done, and where it may not be. */
  ask: (() => void) | undefined;
  /** What is asked of a model. */
  children: ReactNode;
}

function Compared({ comparison, session, made, ask, children }: ComparedProps) {
  const engine = useEngine();
  const mayEdit = useMay("edit");
  const index = useMemo(() => indexed(comparison), [comparison]);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(() => preselected(comparison, index));
  const task = useKeptTask(handTask(session));
  const steps = taken(comparison, index, ticked);
  const toggle = (key: string) => {
    const next = new Set(ticked);
    if (!next.delete(key)) next.add(key);
    setTicked(next);
  };
  const merge = () => {
    const lead = fromHere();
    // Who is led to it is told there what it is; who is not, by the notice with the way there.
    const led: Lead = (to, said, leaving) => {
      const went = lead(to, said, leaving);
      if (went) toasts.add({ title: said });
      return went;
    };
    mergeByHand(engine, { session, plans: comparison.plans, steps }, (plan) =>
      made(led, { page: "session", session, station: "plan", plan: plan.id }, words.made(plan.step_count, plansIn(steps))));
  };
  return (
    <>
      <ol className={css.rows} aria-label={words.rows}>
        {comparison.rows.map((row) => <Row key={row.steps.map(index.key).join()} comparison={comparison} index={index} row={row} ticked={ticked} toggle={mayEdit ? toggle : undefined} />)}
      </ol>
      {(mayEdit || ask || children) && (
        <div className={css.editFoot}>
          <ErrorNote error={task.error} />
          {children || (
            <div className={css.tools}>
              {mayEdit && (
                <Button look="primary" reason={plansIn(steps) < 2 ? words.twoPlans : undefined} aria-busy={task.busy || undefined} onClick={() => !task.busy && merge()}>
                  <GitMerge size={14} aria-hidden="true" />{words.make(steps.length)}
                </Button>
              )}
              {ask && <Button onClick={ask}><PenLine size={14} aria-hidden="true" />{words.model.button}</Button>}
            </div>
          )}
        </div>
      )}
    </>
  );
}

interface RowProps {
  comparison: Comparison;
  index: Indexed;
  row: ComparedRow;
  ticked: ReadonlySet<string>;
  /** Absent where no plan may be made of them. */
  toggle: ((key: string) => void) | undefined;
}

/** Steps of different plans that do the same. */
function Row({ comparison, index, row, ticked, toggle }: RowProps) {
  return (
    <li>
      <p className={css.rowFiles}>{row.files.length === 0 ? words.noFile : row.files.map((file) => <Path key={file} path={file} wrap />)}</p>
      {row.steps.map((source) => {
        const step = index.step(source);
        const key = index.key(source);
        const kinds = [...new Set(step?.operations.map((o) => o.kind))];
        return (
          <label key={key} className={css.source}>
            {toggle && <Checkbox checked={ticked.has(key)} onChange={() => toggle(key)} />}
            <span className={css.letter}>{letterOf(comparison, source.plan)}{source.step}</span>
            <span className={css.sourceTitle}><Seen text={step?.title ?? ""} /></span>
            <span className={css.kinds}>{kinds.map((kind) => <KindMark key={kind} kind={kind} />)}</span>
          </label>
        );
      })}
      {index.disputed(row).map((d) => (
        <p key={`${d.code} ${d.path} ${d.message}`} className={css.dispute}><TriangleAlert size={14} aria-hidden="true" /><span><b>{words.differ}</b> <Names text={d.message} /></span></p>
      ))}
    </li>
  );
}
