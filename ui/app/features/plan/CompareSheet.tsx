import { GitMerge, PenLine, TriangleAlert } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import type { ComparedRow, Comparison, Plan } from "#client/api.gen.ts";
import { Button, Checkbox } from "#kit/core.tsx";
import { Sheet, toasts } from "#kit/overlays.tsx";
import { Skeleton } from "#kit/states.tsx";
import { Names, Path, RelativeTime, Seen } from "#kit/values.tsx";
import { useEngine, useKeptTask, useMay, useRead, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { fromHere, useSheetLead, type SheetLead } from "../../lead.ts";
import { w } from "../../words.ts";
import { comparable, indexed, keyOf, letterOf, MOST_PLANS, plansIn, preselected, taken, type Indexed } from "./compare.ts";
import { mergeTask } from "./merge.ts";
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
  return <Sheet title={words.title} close={w.close} open={open} onClose={leave} wide returnFocus={!sent}><Body {...rest} onClose={onClose} asked={lead} /></Sheet>;
}

function Body({ plans, current, session, onClose, asked }: Omit<CompareSheetProps, "open"> & { asked: SheetLead }) {
  const mounted = useMounted();
  const mayRun = useMay("run");
  const task = useKeptTask(mergeTask(session));
  const [asking, setAsking] = useState(task.busy || task.error !== undefined);
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
        <Compared key={ids.join()} comparison={value} session={session} onClose={onClose} ask={mayRun && !asking ? () => setAsking(true) : undefined}>
          {mayRun && asking && <MergeByModel session={session} plans={ids} close={() => setAsking(false)} asked={(lead, to) => asked(mounted.current, lead, to, w.approve.asks)} />}
        </Compared>
      )}
    </>
  );
}

interface ComparedProps {
  comparison: Comparison;
  session: string;
  onClose(): void;
  /** Begins to ask a model; absent while that is done, and where it may not be. */
  ask: (() => void) | undefined;
  /** What is asked of a model. */
  children: ReactNode;
}

function Compared({ comparison, session, onClose, ask, children }: ComparedProps) {
  const { connection } = useEngine();
  const mayEdit = useMay("edit");
  const [ticked, setTicked] = useState<ReadonlySet<string>>(() => preselected(comparison));
  const task = useTask();
  const index = useMemo(() => indexed(comparison), [comparison]);
  const steps = taken(comparison, ticked);
  const toggle = (key: string) => {
    const next = new Set(ticked);
    if (!next.delete(key)) next.add(key);
    setTicked(next);
  };
  const mounted = useMounted();
  const merge = () => {
    const lead = fromHere();
    task.run(async () => {
      const made = await connection.call("plans.merge", { steps });
      connection.store.put("plans.get", { plan: made.id }, made);
      await connection.store.refresh("plans.list", { session });
      if (mounted.current) onClose();
      const said = words.made(made.step_count, plansIn(steps));
      if (lead({ page: "session", session, station: "plan", plan: made.id }, said)) toasts.add({ title: said });
    });
  };
  return (
    <>
      <ol className={css.rows} aria-label={words.rows}>
        {comparison.rows.map((row) => <Row key={row.steps.map(keyOf).join()} comparison={comparison} index={index} row={row} ticked={ticked} toggle={mayEdit ? toggle : undefined} />)}
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
        const kinds = [...new Set(step?.operations.map((o) => o.kind))];
        return (
          <label key={keyOf(source)} className={css.source}>
            {toggle && <Checkbox checked={ticked.has(keyOf(source))} onChange={() => toggle(keyOf(source))} />}
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
