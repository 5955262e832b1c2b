import { useMemo, useRef, useState, useSyncExternalStore, type KeyboardEvent, type RefObject } from "react";
import { flushSync } from "react-dom";
import type { Plan, Step } from "#client/api.gen.ts";
import { Button } from "#kit/core.tsx";
import { seen } from "#kit/invisible.ts";
import { Sheet } from "#kit/overlays.tsx";
import { Note } from "#kit/states.tsx";
import { useEngine } from "../../engine.tsx";
import { usePref } from "../../prefs.ts";
import { w } from "../../words.ts";
import { DiffRows, rowsOf } from "./DiffRows.tsx";
import { asShown, asTyped, blankForm, contentOf, formOf, goneIn, numbered, onto, textOf, touched, withRefs, type EditDraft, type Field, type Problems, type StepForm } from "./edit.ts";
import { EditForm } from "./EditForm.tsx";
import { numbersOf, refsIn, type Around } from "./refs.ts";
import { EDITED } from "./review.ts";
import css from "./review.module.css";
import { StepTrouble } from "./StepTrouble.tsx";
import { draftKey, store as storeDraft } from "./storing.ts";
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
      <Body key={editing.n} plan={plan} id={editing.step} tools={tools} onClose={leave} first={title} />
    </Sheet>
  );
}

/** The numbers of steps around a form; those that went while it is open had the number that was seen last. */
function useAround(plan: Plan, own: string | undefined, kept: EditDraft | undefined): Around {
  const seenLast = useRef(new Map<string, number>());
  const numbers = useMemo(() => numbersOf(plan), [plan]);
  for (const id of kept ? refsIn(kept.form.after + kept.form.position) : []) {
    const number = numbers.number(id);
    if (number !== undefined) seenLast.current.set(id, number);
  }
  return { numbers, own, last: (id) => seenLast.current.get(id) ?? kept?.numbers?.[id] };
}

/** What is typed about a step, on top of what it is now. */
function useDraft(plan: Plan, id: string | undefined) {
  const { prefs } = useEngine();
  const key = draftKey(plan.id, id);
  const [stored, keep] = usePref<EditDraft | undefined>(prefs, key, undefined);
  const around = useAround(plan, id, stored);
  const kept = stored && withRefs(stored, around);
  const step = plan.steps.find((s) => s.id === id);
  // A step that is gone, or never was, changes no more under the hand.
  const now = step ? formOf(step, around.numbers) : (kept?.base ?? blankForm());
  const draft = kept && touched(kept) ? kept : { base: now, form: now };
  const { form, both, moved } = onto(draft, now);
  const base = { ...now, ...Object.fromEntries(both.map((f) => [f, draft.base[f]])) } as StepForm;
  const set = (next: StepForm) => keep({ base, form: next, numbers: numbered([base, next], around) });
  return {
    step, form, around, both, moved, old: draft.base, now, changed: touched({ base, form }),
    shown: asShown(form, around),
    edit: (over: Partial<StepForm>) => set(asTyped(over, form, around)),
    take: () => set({ ...form, ...Object.fromEntries(both.map((f) => [f, now[f]])) }),
    forget: () => keep(undefined),
    sending: () => prefs.sending(key),
  };
}

interface BodyProps extends Omit<EditSheetProps, "editing"> {
  id: string | undefined;
  first: RefObject<HTMLInputElement | null>;
}

function Body({ plan, id, tools, onClose, first }: BodyProps) {
  const { prefs } = useEngine();
  const { review } = tools;
  const draft = useDraft(plan, id);
  const { step, form, around } = draft;
  const [restored] = useState(draft.changed);
  const [more, setMore] = useState(false);
  const [tried, setTried] = useState(false);
  const status = useSyncExternalStore(review.watch, review.snapshot).get(EDITED);
  const made = contentOf(form, around);
  const problems = "problems" in made ? made.problems : NONE;
  const mounted = useMounted();
  const store = () => {
    setTried(true);
    if ("problems" in made || status?.busy) return;
    // At once, so that nothing is drawn between: the field in which one types stays what it is.
    const becomes = (to: string) => flushSync(() => tools.becomes(id, to));
    void storeDraft(review, prefs, { plan, step: id, form, content: made }, becomes).then((stored) => {
      if (!stored) return;
      setMore(stored.more);
      if (stored.more) return;
      // Closed and opened anew meanwhile, what is shown of a step that was added is stored too.
      if (!mounted.current) return tools.added(id);
      onClose();
      focusStep(stored.step);
    });
  };
  const remove = (gone: Step) => {
    const forget = draft.sending();
    void review.remove(gone).then((removed) => removed && forget() && mounted.current && onClose());
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
      <Notes draft={draft} restored={restored} more={more} gone={id !== undefined && !step} />
      <EditForm form={draft.shown} edit={draft.edit} problems={tried ? problems : only(problems, goneIn(form, around))} first={first} />
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

/** The problems that are told at once, and not only when it is to be stored. */
const only = (problems: Problems, fields: Field[]): Problems => (fields.length === 0 ? NONE : new Map([...problems].filter(([at]) => fields.some((f) => f === at))));

const unseen = (form: StepForm): number =>
  [form.title, form.why, ...form.commands, ...form.checks, ...form.operations.flatMap((o) => [o.path, o.to, o.symbol, o.change])]
    .reduce((n, text) => n + seen(text).filter((part) => "sign" in part).length, 0);

/** What the person should know before storing: what began earlier, and what others did meanwhile. */
function Notes({ draft, restored, more, gone }: { draft: ReturnType<typeof useDraft>; restored: boolean; more: boolean; gone: boolean }) {
  const { both, moved, changed, form, old, now } = draft;
  const hidden = unseen(form);
  const fields = (list: Field[]) => list.map((f) => words.fields[f].toLowerCase()).join(", ");
  return (
    <>
      {gone && <Note tone="warning" live><p>{words.gone}</p></Note>}
      {more && changed && !gone && <Note live><p>{words.more}</p></Note>}
      {restored && changed && !gone && !more && <Note><p>{words.restored}</p></Note>}
      {moved && (
        <Note tone="warning" live>
          <p>{words.moved}</p>
          {both.length > 0 && <p>{words.both(fields(both))}</p>}
          <details>
            <summary>{words.theirs}</summary>
            <DiffRows label={words.theirs} rows={rowsOf(textOf(old), textOf(now))} />
          </details>
          {both.length > 0 && <div><Button onClick={draft.take}>{words.take}</Button></div>}
        </Note>
      )}
      {hidden > 0 && <Note tone="warning"><p>{words.unseen(hidden)}</p></Note>}
    </>
  );
}
