import { useId, type FormEvent, type ReactNode } from "react";
import type { Settings } from "#client/api.gen.ts";
import { Actions, Button, cx } from "#kit/core.tsx";
import { money } from "#kit/format.ts";
import kit from "#kit/kit.module.css";
import { toasts } from "#kit/overlays.tsx";
import { useNow } from "#kit/values.tsx";
import { useAction } from "../../actions.tsx";
import { useEngine, useMay, useRead, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { usePref } from "../../prefs.ts";
import { w } from "../../words.ts";
import { amountOf, amountText, lastDay, type Amount } from "./budget.ts";
import { Meter, Missing, Section } from "./Section.tsx";
import css from "./settings.module.css";

/** What was typed and not stored yet; absent where nothing was. */
interface BudgetDraft {
  day?: string | undefined;
  session?: string | undefined;
}
const NO_DRAFT: BudgetDraft = Object.freeze({});

/** How much may be spent, beside how much was. */
export function Budgets() {
  const { connection } = useEngine();
  const { value, error } = useRead("settings.get", {});
  const words = w.settings.budgets;
  return (
    <Section id="budgets" title={words.title} lead={words.lead}>
      {value ? <Form settings={value} /> : <Missing error={error} again={() => void connection.store.refresh("settings.get", {})} rows={3} />}
    </Section>
  );
}

const isAmount = (amount: Amount): boolean => amount.ok;

function Form({ settings }: { settings: Settings }) {
  const { connection, prefs } = useEngine();
  const may = useMay("account");
  const [draft, setDraft] = usePref<BudgetDraft>(prefs, "budgets.draft", NO_DRAFT);
  const task = useTask();
  const words = w.settings.budgets;
  const dayText = draft.day ?? amountText(settings.day_budget);
  const sessionText = draft.session ?? amountText(settings.session_budget);
  const [day, session] = [amountOf(dayText), amountOf(sessionText)];
  const changed = (day.ok && day.micro !== settings.day_budget) || (session.ok && session.micro !== settings.session_budget) || !day.ok || !session.ok;
  const reason = !may ? w.settings.here : ![day, session].every(isAmount) ? words.wrong : changed ? undefined : words.unchanged;
  const save = () => {
    if (reason !== undefined || task.busy || !day.ok || !session.ok) return;
    task.run(async () => {
      // All settings are replaced at once: what is not changed here stays as it is by now.
      const { day_budget, session_budget, ...others } = await connection.call("settings.get", {});
      const dayNow = draft.day === undefined ? day_budget : day.micro;
      const sessionNow = draft.session === undefined ? session_budget : session.micro;
      const stored = await connection.call("settings.set", { ...others, ...(dayNow === undefined ? {} : { day_budget: dayNow }), ...(sessionNow === undefined ? {} : { session_budget: sessionNow }) });
      connection.store.put("settings.get", {}, stored);
      setDraft(NO_DRAFT);
      toasts.add({ title: words.stored });
    });
  };
  useAction(may ? { id: "budgets.save", label: words.save, keys: "Mod+Enter", run: save, reason, here: true } : undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save();
  };
  return (
    <form className={css.budgets} onSubmit={submit}>
      <Budget label={words.day} text={dayText} amount={day} may={may} set={(text) => setDraft({ ...draft, day: text })}><DaySpent budget={settings.day_budget} /></Budget>
      <Budget label={words.session} text={sessionText} amount={session} may={may} set={(text) => setDraft({ ...draft, session: text })}><SessionSpent budget={settings.session_budget} /></Budget>
      {(settings.day_budget !== undefined || settings.session_budget !== undefined) && <p className={css.small}>{words.unpriced}</p>}
      <ErrorNote error={task.error} />
      {may ? (
        <Actions>
          <Button type="submit" look="primary" keys="Mod+Enter" reason={reason} disabled={task.busy}>{words.save}</Button>
          {changed && <Button look="plain" disabled={task.busy} onClick={() => setDraft(NO_DRAFT)}>{words.discard}</Button>}
        </Actions>
      ) : <p className="quiet">{w.settings.here}</p>}
    </form>
  );
}

interface BudgetProps {
  label: string;
  text: string;
  amount: Amount;
  may: boolean;
  set(text: string): void;
  children: ReactNode;
}

function Budget({ label, text, amount, may, set, children }: BudgetProps) {
  const id = useId();
  const words = w.settings.budgets;
  const said = !amount.ok ? words.wrong : amount.micro === undefined ? words.noLimit : amount.micro === 0 ? words.nothing : words.hint;
  return (
    <div className={css.budget}>
      <div className={kit.field}>
        <span><label htmlFor={id}>{label}</label></span>
        <span className={css.dollars}>
          <span aria-hidden="true">$</span>
          <input
            id={id} className={kit.input} inputMode="decimal" autoComplete="off" placeholder={words.none} value={text} readOnly={!may}
            aria-invalid={!amount.ok || undefined} aria-describedby={`${id}-said`} onChange={(e) => set(e.target.value)}
          />
        </span>
        <span id={`${id}-said`} className={cx(kit.hint, !amount.ok && css.wrong)} role="status">{said}</span>
      </div>
      <div className={css.beside}>{children}</div>
    </div>
  );
}

/** What counts against the budget of a day: the last 24 hours. */
function DaySpent({ budget }: { budget: number | undefined }) {
  const usage = useRead("usage.since", { since: lastDay(useNow()) }).value;
  return <Spent cost={usage?.cost} budget={budget} what={w.settings.budgets.spentDay} />;
}

/** Each session has the budget for itself; the dearest is the one that meets it first. */
function SessionSpent({ budget }: { budget: number | undefined }) {
  const usage = useRead("usage.by", { since: 0, group: "session" }).value;
  const dearest = usage?.rows[0];
  return <Spent cost={usage && (dearest?.cost ?? 0)} budget={budget} what={w.settings.budgets.spentSession} detail={dearest?.title} />;
}

function Spent({ cost, budget, what, detail }: { cost: number | undefined; budget: number | undefined; what(cost?: string): string; detail?: string | undefined }) {
  const words = w.settings.budgets;
  // Its room is kept before it is known, so that nothing moves when it is.
  if (cost === undefined) return <span className={css.figures}>&nbsp;</span>;
  return (
    <>
      <span className={css.figures}>
        <span>{cost === 0 ? what() : what(money(cost))}</span>
        <span className={css.cut}>{budget === undefined ? detail ?? "" : cost >= budget ? words.used : words.left(money(budget - cost))}{budget !== undefined && detail ? `, ${detail}` : ""}&nbsp;</span>
      </span>
      {budget !== undefined && <Meter used={cost} of={budget} label={words.meter} />}
    </>
  );
}
