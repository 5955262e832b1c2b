import { useRef, useState, useSyncExternalStore, type KeyboardEvent, type RefObject } from "react";
import type { Plan, Step } from "#client/api.gen.ts";
import { Button } from "#kit/core.tsx";
import { seen } from "#kit/invisible.ts";
import { Sheet } from "#kit/overlays.tsx";
import { Note } from "#kit/states.tsx";
import { useEngine } from "../../engine.tsx";
import { usePref } from "../../prefs.ts";
import { w } from "../../words.ts";
import { DiffRows, rowsOf } from "./DiffRows.tsx";
import { blankForm, contentOf, formOf, onto, textOf, touched, type EditDraft, type Field, type Problems, type StepForm } from "./edit.ts";
import { EditForm } from "./EditForm.tsx";
import { EDITED } from "./review.ts";
import css from "./review.module.css";
import { StepTrouble } from "./StepTrouble.tsx";
import { useMounted } from "../../useMounted.ts";
import { focusStep, type Edited, type StepTools } from "./useReview.ts";

const words = w.review.edit;
const NONE: Problems = new Map();

interface EditSheetProps {
  plan: Plan;
  editing: Edited | undefined;
  tools: StepTools;
  onClose(): void;
}

/** A step, or one that is to be added, as a form. Closing it loses nothing. */
export function EditSheet({ plan, editing, tools, onClose }: EditSheetProps) {
  const title = useRef<HTMLInputElement>(null);
  if (!editing) return null;
  const step = plan.steps.find((s) => s.id === editing.step);
  const leave = () => {
    tools.review.dismiss(EDITED);
    onClose();
  };
  return (
    <Sheet title={step ? words.title(step.number) : editing.step === undefined ? words.addTitle : words.step} close={w.close} open onClose={leave} wide first={title}>
      <Body key={editing.step ?? ""} plan={plan} id={editing.step} tools={tools} onClose={leave} first={title} />
    </Sheet>
  );
}

/** What is typed about a step, on top of what it is now. */
function useDraft(plan: Plan, id: string | undefined) {
  const { prefs } = useEngine();
  const key = `review.edit.${plan.id}.${id ?? "new"}`;
  const [kept, keep] = usePref<EditDraft | undefined>(prefs, key, undefined);
  const step = plan.steps.find((s) => s.id === id);
  // A step that is gone, or never was, changes no more under the hand.
  const now = step ? formOf(step) : (kept?.base ?? blankForm(plan.steps.length));
  const draft = kept && touched(kept) ? kept : { base: now, form: now };
  const { form, both, moved } = onto(draft, now);
  const base = { ...now, ...Object.fromEntries(both.map((f) => [f, draft.base[f]])) } as StepForm;
  return {
    step, form, both, moved, old: draft.base, now, changed: touched({ base, form }),
    edit: (over: Partial<StepForm>) => keep({ base, form: { ...form, ...over } }),
    forget: () => keep(undefined),
    sending: () => prefs.sending(key),
  };
}

interface BodyProps extends Omit<EditSheetProps, "editing"> {
  id: string | undefined;
  first: RefObject<HTMLInputElement | null>;
}

function Body({ plan, id, tools, onClose, first }: BodyProps) {
  const { review } = tools;
  const draft = useDraft(plan, id);
  const { step, form } = draft;
  const [restored] = useState(draft.changed);
  const [tried, setTried] = useState(false);
  const status = useSyncExternalStore(review.watch, review.snapshot).get(EDITED);
  const made = contentOf(form, step?.number, plan.steps.length);
  const problems = "problems" in made ? made.problems : NONE;
  const mounted = useMounted();
  /** What follows once what is typed now was stored; nothing where more was typed since, or something else is edited. */
  const sending = () => {
    const forget = draft.sending();
    return (to: string | undefined) => {
      if (!forget() || !mounted.current) return;
      onClose();
      if (to !== undefined) focusStep(to);
    };
  };
  const store = () => {
    setTried(true);
    if ("problems" in made || status?.busy) return;
    const done = sending();
    void review.edit(plan.version, step?.id, made.content, made.position).then((to) => to !== undefined && done(to));
  };
  const remove = (gone: Step) => {
    const done = sending();
    void review.remove(gone).then((removed) => removed && done(undefined));
  };
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    store();
  };
  const trouble = <StepTrouble error={status?.error} dismiss={() => review.dismiss(EDITED)} />;
  // Beside what it is about: what changed elsewhere stands at the top.
  const conflict = status?.error?.code === "conflict";
  return (
    <form className={css.edit} onKeyDown={key} onSubmit={(event) => { event.preventDefault(); store(); }}>
      {conflict && trouble}
      <Notes draft={draft} restored={restored} gone={id !== undefined && !step} />
      <EditForm form={form} edit={draft.edit} problems={tried ? problems : NONE} first={first} />
      <div className={css.editFoot}>
        {!conflict && trouble}
        <div className={css.tools}>
          <Button type="submit" look="primary" keys="Mod+Enter" aria-busy={status?.busy || undefined}>{step ? words.store : words.storeNew}</Button>
          {draft.changed && <Button look="plain" onClick={draft.forget}>{words.again}</Button>}
          <span className={css.spring} />
          {step && <Button look="plain" onClick={() => remove(step)}>{words.remove}</Button>}
        </div>
      </div>
    </form>
  );
}

const unseen = (form: StepForm): number =>
  [form.title, form.why, ...form.commands, ...form.checks, ...form.operations.flatMap((o) => [o.path, o.to, o.symbol, o.change])]
    .reduce((n, text) => n + seen(text).filter((part) => "sign" in part).length, 0);

/** What the person should know before storing: what began earlier, and what others did meanwhile. */
function Notes({ draft, restored, gone }: { draft: ReturnType<typeof useDraft>; restored: boolean; gone: boolean }) {
  const { both, moved, changed, form, old, now } = draft;
  const hidden = unseen(form);
  const fields = (list: Field[]) => list.map((f) => words.fields[f].toLowerCase()).join(", ");
  return (
    <>
      {gone && <Note tone="warning" live><p>{words.gone}</p></Note>}
      {restored && changed && !gone && <Note><p>{words.restored}</p></Note>}
      {moved && (
        <Note tone="warning" live>
          <p>{words.moved}</p>
          {both.length > 0 && <p>{words.both(fields(both))}</p>}
          <details>
            <summary>{words.theirs}</summary>
            <DiffRows label={words.theirs} rows={rowsOf(textOf(old), textOf(now))} />
          </details>
          {both.length > 0 && <div><Button onClick={() => draft.edit(Object.fromEntries(both.map((f) => [f, now[f]])))}>{words.take}</Button></div>}
        </Note>
      )}
      {hidden > 0 && <Note tone="warning"><p>{words.unseen(hidden)}</p></Note>}
    </>
  );
}
