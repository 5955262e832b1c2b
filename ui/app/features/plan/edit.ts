import type { Operation, OperationKind, Step, StepContent } from "#client/api.gen.ts";
import { same } from "#kit/same.ts";
import { w } from "../../words.ts";
import { LAST, namesGone, ref, refOf, refsIn, shown, shownPlace, typed, typedPlace, whole, type Around, type Numbers } from "./refs.ts";

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
  /** The steps that come before: numbers as a person sees them, in a draft the steps themselves. */
  after: string;
  /** The number that the step is to have; in a draft the step whose place it takes. */
  position: string;
  operations: OperationForm[];
  commands: string[];
  checks: string[];
}

export type Field = keyof StepForm;

/** What is typed and what it was made from. Kept on this page until it is stored. */
export interface EditDraft {
  base: StepForm;
  form: StepForm;
  /** Which numbers the steps had that it names, when it was typed. Absent in what was kept before steps were named by more than their number. */
  numbers?: Record<string, number>;
}

export const blankOperation = (): OperationForm => ({ kind: "modify", path: "", to: "", symbol: "", first: "", last: "", change: "" });

const operationForm = (o: Operation): OperationForm => ({
  kind: o.kind, path: o.path, to: o.to ?? "", symbol: o.symbol ?? "", first: o.lines ? String(o.lines[0]) : "", last: o.lines ? String(o.lines[1]) : "", change: o.change,
});

const named = (number: number, numbers: Numbers): string => {
  const id = numbers.id(number);
  return id === undefined ? String(number) : ref(id);
};

export const formOf = (s: Step, numbers: Numbers): StepForm => ({
  title: s.title, why: s.why, confidence: s.confidence, after: s.depends.map((n) => named(n, numbers)).join(", "), position: ref(s.id),
  operations: s.operations.map(operationForm), commands: s.commands, checks: s.checks,
});

/** A step that is to be written, as the last one. */
export const blankForm = (): StepForm => ({
  title: "", why: "", confidence: "", after: "", position: LAST, operations: [blankOperation()], commands: [], checks: [],
});

/** A form as a person reads it. */
export const asShown = (form: StepForm, around: Around): StepForm => ({ ...form, after: shown(form.after, around), position: shownPlace(form.position, around) });

/** What a person typed into a form, on top of what is kept of it. */
export function asTyped(over: Partial<StepForm>, form: StepForm, around: Around): StepForm {
  return {
    ...form, ...over,
    ...(over.after === undefined ? {} : { after: typed(over.after, form.after, around) }),
    ...(over.position === undefined ? {} : { position: typedPlace(over.position, form.position, around) }),
  };
}

/** Which numbers the steps have that a draft names; of those that are gone the ones that they had. */
export function numbered(forms: StepForm[], around: Around): Record<string, number> {
  const ids = forms.flatMap((f) => [...refsIn(f.after), ...refsIn(f.position)]);
  return Object.fromEntries(ids.flatMap((id) => {
    const number = around.numbers.number(id) ?? around.last(id);
    return number === undefined ? [] : [[id, number]];
  }));
}

/** A draft that was kept with numbers alone: they are taken for the steps that have them now. */
export function withRefs(draft: EditDraft, around: Around): EditDraft {
  if (draft.numbers) return draft;
  const read = (form: StepForm) => asTyped({ after: form.after, position: form.position }, form, around);
  return { base: read(draft.base), form: read(draft.form), numbers: {} };
}

/** The fields that name a step which is not in the plan any more. */
export const goneIn = (form: StepForm, around: Around): Field[] => (["after", "position"] as const).filter((f) => namesGone(form[f], around));

/** Why a form cannot be stored yet, at the field to which it belongs. */
export type Problems = ReadonlyMap<string, string>;

/** The place of a problem in the form. */
export const at = (operation: number, field: keyof OperationForm): string => `operation ${operation} ${field}`;

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

function dependsOf(text: string, around: Around, problems: Map<string, string>): number[] {
  const words = w.review.edit.problems;
  const wrong = (what: string) => problems.has("after") || problems.set("after", what);
  const { numbers, own } = around;
  const known = text.split(/[\s,;]+/).filter((part) => part !== "").flatMap((part) => {
    const id = refOf(part);
    const number = id === undefined ? whole(part) : numbers.number(id);
    if (id !== undefined && number === undefined) wrong(words.gone(shown(part, around)));
    else if (number === undefined) wrong(words.after);
    else if (numbers.id(number) === undefined || numbers.id(number) === own) wrong(words.noStep(number));
    return number === undefined ? [] : [number];
  });
  return [...new Set(known)];
}

/** The number that the step is to have, or nothing where there is no such place. */
function placeOf(text: string, around: Around, most: number, problems: Map<string, string>): number | undefined {
  const words = w.review.edit.problems;
  const position = whole(shownPlace(text, around));
  if (namesGone(text, around)) problems.set("position", words.goneAt(most));
  else if (position === undefined || position > most) problems.set("position", words.position(most));
  return position;
}

const filled = (lines: string[]): string[] => lines.filter((line) => line.trim() !== "");

export interface Stored {
  content: StepContent;
  position?: number;
}

/** The form as the contract has it, or what is wrong with it. */
export function contentOf(form: StepForm, around: Around): Stored | { problems: Problems } {
  const { numbers } = around;
  const own = around.own === undefined ? undefined : numbers.number(around.own);
  const problems = new Map<string, string>();
  if (form.title.trim() === "") problems.set("title", w.review.edit.problems.title);
  const depends = dependsOf(form.after, around, problems);
  const position = placeOf(form.position, around, own === undefined ? numbers.count + 1 : numbers.count, problems);
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
