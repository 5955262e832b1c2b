import type { Manifest, Remember } from "#client/api.gen.ts";
import { w } from "../../words.ts";
import { amountOf } from "../settings/budget.ts";

/** How long a permission may hold, in minutes. */
export const TIMES = ["15", "60", "240", "480"] as const;
export type Time = (typeof TIMES)[number];

/** The bounds of a permission for more, as they are typed. */
export interface Bounds {
  dollars: string;
  minutes: Time;
  /** A folder that all files must lie in; the whole project when empty. */
  under: string;
  web: boolean;
}

/** What is wrong with a field. */
export type Problems = Partial<Record<keyof Bounds, string>>;

/** What goes with the approval, or why it cannot. What the engine knows better is left to it. */
export function boundsOf(bounds: Bounds): { remember: Remember } | { problems: Problems } {
  const amount = amountOf(bounds.dollars);
  if (!amount.ok || !amount.micro) return { problems: { dollars: w.remember.wrongAmount } };
  const under = bounds.under.trim();
  return {
    remember: { cap: amount.micro, minutes: Number(bounds.minutes), ...(under ? { under } : {}), ...(bounds.web ? { web: true } : {}) },
  };
}

/** The deepest folder that all files of a request lie in; empty where that is the whole project. */
export function commonFolder(paths: string[]): string {
  const folders = paths.map((path) => path.split("/").slice(0, -1));
  const [first = [], ...rest] = folders;
  let depth = 0;
  while (depth < first.length && rest.every((folder) => folder[depth] === first[depth])) depth++;
  return first.slice(0, depth).join("/");
}

/** Why no more may be sent than this one request. The engine refuses the same. */
export function whyOnlyThis(manifest: Manifest): string | undefined {
  if (manifest.secrets.length > 0) return w.remember.secrets;
  return manifest.cost_estimate === undefined ? w.remember.unpriced : undefined;
}
