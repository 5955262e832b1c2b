import type { Operation, OperationKind, Step, StepContent } from "#client/api.gen.ts";
import { same } from "#kit/same.ts";
import { w } from "../../words.ts";

/** An operation as it is typed: numbers are text until they are stored. */
export interface OperationForm {
  kind: OperationKind;
  path: string;
  to: string;
  symbol: string;
  first: string;
  last: string;
  change: string;
}

/** A step as it is typed. */
export interface StepForm {
  title: string;
  why: string;
  confidence: string;
  /** Numbers of the steps that come before. */
  after: string;
  /** The number that the step is to have. */
  position: string;
  operations: OperationForm[];
  commands: string[];
  checks: string[];
}

export type Field = keyof StepForm;

/** What is typed, what it was made from, and at which version. Kept on this page until it is stored. */
export interface EditDraft {
  base: StepForm;
  form: StepForm;
}

export const blankOperation = (): OperationForm => ({ kind: "modify", path: "", to: "", symbol: "", first: "", last: "", change: "" });

const operationForm = (o: Operation): OperationForm => ({
  kind: o.kind, path: o.path, to: o.to ?? "", symbol: o.symbol ?? "", first: o.lines ? String(o.lines[0]) : "", last: o.lines ? String(o.lines[1]) : "", change: o.change,
});

export const formOf = (s: Step): StepForm => ({
  title: s.title, why: s.why, confidence: s.confidence, after: s.depends.join(", "), position: String(s.number),
  operations: s.operations.map(operationForm), commands: s.commands, checks: s.checks,
});

/** A step that is to be written, as the last of so many. */
export const blankForm = (steps: number): StepForm => ({
  title: "", why: "", confidence: "", after: "", position: String(steps + 1), operations: [blankOperation()], commands: [], checks: [],
});

/** Why a form cannot be stored yet, at the field to which it belongs. */
export type Problems = ReadonlyMap<string, string>;

/** The place of a problem in the form. */
export const at = (operation: number, field: keyof OperationForm): string => `operation ${operation} ${field}`;

const whole = (text: string): number | undefined => (/^[1-9]\d{0,8}$/.test(text.trim()) ? Number(text.trim()) : undefined);

function operationOf(form: OperationForm, i: number, problems: Map<string, string>): Operation {
  const words = w.review.edit.problems;
  const { kind, path, change } = form;
  if (path.trim() === "") problems.set(at(i, "path"), words.path);
  if (kind === "move" && form.to.trim() === "") problems.set(at(i, "to"), words.to);
  const [first, last] = [whole(form.first), whole(form.last)];
  const given = form.first.trim() !== "" || form.last.trim() !== "";
  const wrong = (text: string, n: number | undefined) => text.trim() !== "" && n === undefined;
  if (wrong(form.first, first) || wrong(form.last, last)) problems.set(at(i, "first"), words.lines);
  else if (first !== undefined && last !== undefined && last < first) problems.set(at(i, "first"), words.order);
  const from = first ?? last;
  const to = last ?? first;
  return {
    kind, path: path.trim(), change,
    ...(form.to.trim() === "" ? {} : { to: form.to.trim() }),
    ...(form.symbol.trim() === "" ? {} : { symbol: form.symbol.trim() }),
    ...(given && from !== undefined && to !== undefined ? { lines: [from, to] as [number, number] } : {}),
  };
}

function dependsOf(text: string, own: number | undefined, steps: number, problems: Map<string, string>): number[] {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== "");
  const numbers = parts.map(whole);
  const known = numbers.filter((n) => n !== undefined);
  const bad = known.find((n) => n > steps || n === own);
  if (known.length < numbers.length) problems.set("after", w.review.edit.problems.after);
  else if (bad !== undefined) problems.set("after", w.review.edit.problems.noStep(bad));
  return [...new Set(known)];
}

const filled = (lines: string[]): string[] => lines.filter((line) => line.trim() !== "");

export interface Stored {
  content: StepContent;
  position?: number;
}

/**
 * The form as the contract has it, or what is wrong with it. `own` is the number of the step that is changed; `steps` is how
 * many the plan has.
 */
export function contentOf(form: StepForm, own: number | undefined, steps: number): Stored | { problems: Problems } {
  const problems = new Map<string, string>();
  if (form.title.trim() === "") problems.set("title", w.review.edit.problems.title);
  const depends = dependsOf(form.after, own, steps, problems);
  const position = whole(form.position);
  const most = own === undefined ? steps + 1 : steps;
  if (position === undefined || position > most) problems.set("position", w.review.edit.problems.position(most));
  const operations = form.operations.map((o, i) => operationOf(o, i, problems));
  if (problems.size > 0) return { problems };
  const content = { title: form.title.trim(), why: form.why.trim(), confidence: form.confidence, depends, operations, commands: filled(form.commands), checks: filled(form.checks) };
  return position === own ? { content } : { content, ...(position === undefined ? {} : { position }) };
}

const FIELDS: Field[] = ["title", "why", "confidence", "after", "position", "operations", "commands", "checks"];

/**
 * What is shown when the step was changed elsewhere while it was written: what the person has not touched is the newer; what
 * they have stays theirs. `both` names what both have changed.
 */
export function onto(draft: EditDraft, now: StepForm): { form: StepForm; both: Field[]; moved: boolean } {
  const { base, form } = draft;
  const both = FIELDS.filter((f) => !same(form[f], base[f]) && !same(now[f], base[f]) && !same(form[f], now[f]));
  const out: Record<string, unknown> = {};
  for (const f of FIELDS) out[f] = same(form[f], base[f]) ? now[f] : form[f];
  return { form: out as unknown as StepForm, both, moved: !same(base, now) };
}

/** Whether anything was typed that is not stored. */
export const touched = (draft: EditDraft | undefined): boolean => draft !== undefined && !same(draft.form, draft.base);

/** A step as lines, to show how it differs from another form of it. */
export function textOf(form: StepForm): string {
  const lines = form.operations.flatMap((o) => {
    const where = [o.path, o.to && `→ ${o.to}`, o.symbol, o.first && w.plan.lines(Number(o.first), Number(o.last || o.first))].filter(Boolean).join(" ");
    return [`${w.plan.kinds[o.kind]} ${where}`, ...(o.change === "" ? [] : o.change.split("\n"))];
  });
  return [form.title, form.why, ...lines, ...form.commands, ...form.checks].filter((line) => line !== "").join("\n");
}
