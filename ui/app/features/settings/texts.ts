import type { Prompt, Template } from "#client/api.gen.ts";
import type { Prefs } from "../../prefs.ts";
import { w } from "../../words.ts";

/** The two kinds of texts that a project may have of its own. */
export type TextKind = "prompts" | "templates";

/** A prompt or a template; only prompts have versions of a default. */
export type OwnText = Template & Partial<Pick<Prompt, "version" | "made_from">>;

/** All that there is under one name: the text that is used, and a file of the project that nobody trusts. */
export interface Entry {
  name: string;
  about: string;
  used: OwnText | undefined;
  untrusted: OwnText | undefined;
}

/** What is used under a name that there is nothing of. */
export const NO_TEXT = Object.freeze({ text: "", hash: "" });

/** What there is under a name that is open. Nothing where it is gone, but for who is writing there: they keep what they write. */
export function openEntry(entries: Entry[], name: string | undefined, writing: boolean): Entry | undefined {
  if (name === undefined) return undefined;
  return entries.find((e) => e.name === name) ?? (writing ? { name, about: "", used: undefined, untrusted: undefined } : undefined);
}

/** A list of the engine by name. */
export function entriesOf(list: OwnText[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const text of list) {
    const entry = entries.get(text.name) ?? { name: text.name, about: text.about, used: undefined, untrusted: undefined };
    entries.set(text.name, text.origin === "untrusted" ? { ...entry, untrusted: text } : { ...entry, about: text.about || entry.about, used: text });
  }
  return [...entries.values()];
}

/** The text that is used under a name. */
export const usedIn = (list: OwnText[], name: string): OwnText | undefined => list.find((text) => text.name === name && text.origin !== "untrusted");

/** Its hash; empty when there is none. */
export const hashOf = (list: OwnText[], name: string): string => usedIn(list, name)?.hash ?? "";

/** What was typed and not stored yet, and the text that it was made from. */
export interface TextDraft {
  text: string;
  from: string;
}

/** Under which name it is kept. */
export const textDraft = (kind: TextKind, project: string, name: string): string => `text.${kind}.${project}.${name}`;

/** A template that is to be made. */
export interface NewDraft {
  name: string;
  text: string;
}
export const NO_DRAFT: NewDraft = Object.freeze({ name: "", text: "" });
export const newDraft = (project: string): string => `template.new.${project}`;

/** What is left of a draft once the text that was `sent` is stored, as `from`: what was typed meanwhile is a change of that. */
export const restOf = (text: string, sent: string, from: string): TextDraft | undefined => (text === sent || text === from ? undefined : { text, from });

/**
 * The same for a template that was made under a name, in what is kept: from then on it is a draft of that template. Who
 * has turned to another name meanwhile makes another template. Tells which.
 */
export function newStored(prefs: Prefs, project: string, name: string, sent: string, from: string): "done" | "more" | "another" {
  const now = prefs.get<NewDraft>(newDraft(project), NO_DRAFT);
  if (now.name.trim() !== name && now.name.trim() !== "") return "another";
  const rest = now === NO_DRAFT ? undefined : restOf(now.text, sent, from);
  if (rest) prefs.set(textDraft("templates", project, name), rest);
  prefs.set(newDraft(project), undefined);
  return rest ? "more" : "done";
}

/** Whether the default was changed after one's own text was made from it. */
export const isOutdated = (text: OwnText): boolean => text.made_from !== undefined && text.made_from !== text.version;

/** Where a project keeps such a file. */
export const pathOf = (kind: TextKind, name: string): string => `.plantocode/${kind}/${name}.md`;

/** The engine's bounds. */
const MOST_BYTES = 64 * 1024;
const BOUNDARY = "BOUNDARY";

/** What stands in the way of storing a text, in words. */
export function textProblem(kind: TextKind, text: string): string | undefined {
  const words = w.settings.texts.problem;
  if (text.trim() === "") return words.empty;
  if (new TextEncoder().encode(text).length > MOST_BYTES) return words.long;
  return kind === "prompts" && !text.includes(BOUNDARY) ? words.boundary : undefined;
}

/** What is wrong with the name of a new template. */
export function nameProblem(name: string, taken: string[]): string | undefined {
  const words = w.settings.texts.problem;
  if (!/^[\p{L}\p{N}_-]{1,64}$/u.test(name)) return words.name;
  return taken.includes(name) ? words.taken : undefined;
}

/** One line of a comparison. */
export interface DiffRow {
  sign: "-" | "+" | " " | "@";
  text: string;
}

/** The lines of a comparison in unified form, without its head. */
export function unifiedRows(diff: string): DiffRow[] {
  const rows: DiffRow[] = [];
  let within = false;
  for (const line of diff.replace(/\n$/, "").split("\n")) {
    if (line.startsWith("@@")) {
      // What stands between two parts is left out; before the first there is nothing to say of it.
      if (within) rows.push({ sign: "@", text: "" });
      within = true;
    } else if (within && !line.startsWith("\\")) {
      const sign = line[0] === "+" || line[0] === "-" ? line[0] : " ";
      rows.push({ sign, text: line.slice(1) });
    }
  }
  return rows;
}
