import type { Plan } from "#client/api.gen.ts";
import { w } from "../../words.ts";

/**
 * References to steps in what is typed. A person types numbers and sees numbers; what is kept is which steps they meant,
 * so that a reference follows its step when others are added, removed or moved meanwhile.
 */

/** Which step has which number now. */
export interface Numbers {
  count: number;
  id(number: number): string | undefined;
  number(id: string): number | undefined;
}

export function numbersOf({ steps }: Pick<Plan, "steps">): Numbers {
  const byId = new Map(steps.map((s) => [s.id, s.number]));
  const byNumber = new Map(steps.map((s) => [s.number, s.id]));
  return { count: steps.length, id: (number) => byNumber.get(number), number: (id) => byId.get(id) };
}

/** In what is read and shown: the steps as they are now, whose form it is, and which number a step that is gone had last. */
export interface Around {
  numbers: Numbers;
  own: string | undefined;
  last(id: string): number | undefined;
}

// Nobody types these two, and nothing shows them: they are taken out of what is typed.
const OPEN = "\u0002";
const SHUT = "\u0003";
const TOKEN = /\u0002([^\u0003]*)\u0003/g;

/** A step as it is kept in what is typed. */
export const ref = (id: string): string => `${OPEN}${id}${SHUT}`;

/** The place behind all steps, however many there are. */
export const LAST = ref("");

/** The steps that a kept text names. */
export const refsIn = (text: string): string[] => [...text.matchAll(TOKEN)].map((m) => m[1] ?? "").filter((id) => id !== "");

/** The step that a part of a kept text is, if it is one. */
export const refOf = (part: string): string | undefined => (part.startsWith(OPEN) && part.endsWith(SHUT) ? part.slice(1, -1) : undefined);

export const whole = (text: string): number | undefined => (/^[1-9]\d{0,8}$/.test(text.trim()) ? Number(text.trim()) : undefined);

/** Whether a kept text names a step that is not in the plan any more. The step itself, where it is gone, is told of elsewhere. */
export const namesGone = (text: string, { numbers, own }: Around): boolean => refsIn(text).some((id) => id !== own && numbers.number(id) === undefined);

const gone = (id: string, around: Around): string => w.review.edit.goneRef(around.last(id));

/** A kept text as a person reads it. */
export const shown = (text: string, around: Around): string =>
  text.replace(TOKEN, (_, id: string) => (id === "" ? String(around.numbers.count + 1) : String(around.numbers.number(id) ?? gone(id, around))));

/** What was typed as it is kept. `old` is what was kept before: a step that is gone, and stays named, stays the same. */
export function typed(text: string, old: string, around: Around): string {
  let out = text.replaceAll(OPEN, "").replaceAll(SHUT, "");
  for (const id of new Set(refsIn(old))) {
    if (around.numbers.number(id) === undefined) out = out.replace(new RegExp(`(?<![^\\s,;])${gone(id, around).replace(/[()]/g, "\\$&")}`), () => ref(id));
  }
  return out.replace(/[^\s,;]+/g, (part) => {
    const id = part.startsWith(OPEN) ? undefined : around.numbers.id(whole(part) ?? 0);
    return id === undefined ? part : ref(id);
  });
}

/** The place of a step as a person reads it. A step that is gone itself is put where it was last. */
export function shownPlace(text: string, around: Around): string {
  const { numbers, own } = around;
  if (own !== undefined && refOf(text) === own && numbers.number(own) === undefined) return String(Math.min(around.last(own) ?? numbers.count + 1, numbers.count + 1));
  return shown(text, around);
}

/** The place that was typed as it is kept: that of the step that stands there, or the end. */
export function typedPlace(text: string, old: string, around: Around): string {
  const { numbers, own } = around;
  const fresh = own === undefined || numbers.number(own) === undefined;
  return fresh && whole(text) === numbers.count + 1 ? LAST : typed(text, old, around);
}
