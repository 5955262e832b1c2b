import { Plus, X } from "lucide-react";
import { useId, type RefObject } from "react";
import type { OperationKind } from "#client/api.gen.ts";
import { Button, cx, IconButton } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { w } from "../../words.ts";
import { at, blankOperation, type OperationForm, type Problems, type StepForm } from "./edit.ts";
import css from "./review.module.css";

const words = w.review.edit;
const KINDS: OperationKind[] = ["create", "modify", "delete", "move"];

interface InputProps {
  label: string;
  value: string;
  onChange(value: string): void;
  problem?: string | undefined;
  hint?: string;
  mono?: boolean;
  /** Lines that are shown at least; one that is typed into like any field when absent. */
  rows?: number;
  numeric?: boolean;
  of?: RefObject<HTMLInputElement | null>;
}

/** A field with its label, and what is wrong with it. */
function Input({ label, value, onChange, problem, hint, mono, rows, numeric, of }: InputProps) {
  const id = useId();
  const shared = {
    id, value, className: cx(kit.input, mono && kit.mono), spellCheck: !mono, autoComplete: "off", "aria-invalid": problem !== undefined || undefined,
    "aria-describedby": problem !== undefined || hint ? `${id}-hint` : undefined,
  };
  return (
    <div className={kit.field}>
      <label htmlFor={id}><span>{label}</span></label>
      {rows === undefined
        ? <input ref={of} {...shared} inputMode={numeric ? "numeric" : undefined} onChange={(e) => onChange(e.target.value)} />
        : <textarea {...shared} rows={rows} onChange={(e) => onChange(e.target.value)} />}
      {(problem !== undefined || hint) && <span id={`${id}-hint`} className={problem === undefined ? kit.hint : css.problem}>{problem ?? hint}</span>}
    </div>
  );
}

interface EditFormProps {
  form: StepForm;
  edit(over: Partial<StepForm>): void;
  problems: Problems;
  /** The field that has the focus first. */
  first: RefObject<HTMLInputElement | null>;
}

/** The fields of a step, as the contract has them. */
export function EditForm({ form, edit, problems, first }: EditFormProps) {
  const operation = (i: number, over: Partial<OperationForm>) => edit({ operations: form.operations.map((o, n) => (n === i ? { ...o, ...over } : o)) });
  return (
    <>
      <Input label={words.fields.title} value={form.title} onChange={(title) => edit({ title })} problem={problems.get("title")} of={first} />
      <Input label={words.fields.why} value={form.why} onChange={(why) => edit({ why })} rows={2} />
      <section className={css.editList} aria-label={words.fields.operations}>
        {form.operations.map((o, i) => (
          <Operation key={i} n={i} form={o} edit={(over) => operation(i, over)} problems={problems} remove={() => edit({ operations: form.operations.filter((_, n) => n !== i) })} />
        ))}
        <div><Button onClick={() => edit({ operations: [...form.operations, blankOperation()] })}><Plus size={14} aria-hidden="true" />{words.addOperation}</Button></div>
      </section>
      <Lines title={w.plan.commands} lines={form.commands} onChange={(commands) => edit({ commands })} mono words={{ one: words.command, add: words.addCommand, remove: words.removeCommand }} />
      <Lines title={w.plan.checks} lines={form.checks} onChange={(checks) => edit({ checks })} words={{ one: words.check, add: words.addCheck, remove: words.removeCheck }} />
      <div className={css.pair}>
        <Input label={words.fields.after} value={form.after} onChange={(after) => edit({ after })} problem={problems.get("after")} hint={words.afterHint} />
        <Input label={words.fields.position} value={form.position} onChange={(position) => edit({ position })} problem={problems.get("position")} numeric />
      </div>
    </>
  );
}

interface OperationProps {
  n: number;
  form: OperationForm;
  edit(over: Partial<OperationForm>): void;
  remove(): void;
  problems: Problems;
}

function Operation({ n, form, edit, remove, problems }: OperationProps) {
  const id = useId();
  const problem = (field: keyof OperationForm) => problems.get(at(n, field));
  return (
    <fieldset className={css.operation}>
      <legend className="sr">{words.operation(n + 1)}</legend>
      <div className={css.file}>
        <div className={kit.field}>
          <label htmlFor={id}><span>{words.kind}</span></label>
          <select id={id} className={kit.input} value={form.kind} onChange={(e) => edit({ kind: e.target.value as OperationKind })}>
            {KINDS.map((kind) => <option key={kind} value={kind}>{w.plan.kinds[kind]}</option>)}
          </select>
        </div>
        <Input label={words.path} value={form.path} onChange={(path) => edit({ path })} problem={problem("path")} mono />
        <IconButton label={words.removeOperation(n + 1)} onClick={remove}><X size={16} /></IconButton>
      </div>
      {(form.kind === "move" || form.to !== "") && <Input label={words.to} value={form.to} onChange={(to) => edit({ to })} problem={problem("to")} mono />}
      <div className={css.place}>
        <Input label={words.symbol} value={form.symbol} onChange={(symbol) => edit({ symbol })} mono />
        <Input label={words.first} value={form.first} onChange={(first) => edit({ first })} problem={problem("first")} numeric />
        <Input label={words.last} value={form.last} onChange={(last) => edit({ last })} numeric />
      </div>
      <Input label={words.change} value={form.change} onChange={(change) => edit({ change })} rows={4} mono />
    </fieldset>
  );
}

interface LinesProps {
  title: string;
  lines: string[];
  onChange(lines: string[]): void;
  mono?: boolean;
  words: { one(n: number): string; add: string; remove(n: number): string };
}

/** A list of short texts, one field each: an entry may have several lines. */
function Lines({ title, lines, onChange, mono, words: of }: LinesProps) {
  return (
    <section className={css.editLines}>
      <h3>{title}</h3>
      {lines.map((line, i) => (
        <div key={i} className={css.entry}>
          <textarea
            className={cx(kit.input, mono && kit.mono)} rows={1} aria-label={of.one(i + 1)} spellCheck={!mono} value={line}
            onChange={(e) => onChange(lines.map((l, n) => (n === i ? e.target.value : l)))}
          />
          <IconButton label={of.remove(i + 1)} onClick={() => onChange(lines.filter((_, n) => n !== i))}><X size={16} /></IconButton>
        </div>
      ))}
      <div><Button look="plain" onClick={() => onChange([...lines, ""])}><Plus size={14} aria-hidden="true" />{of.add}</Button></div>
    </section>
  );
}
