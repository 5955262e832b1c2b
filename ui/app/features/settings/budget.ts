import type { UsageGroup, UsageRow } from "#client/api.gen.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** The begin of the last 24 hours moves on in steps, so that the same sum is asked for again and not another each time. */
const STEP_MS = 10 * 60 * 1000;
/** Beyond this a number is a mistake, and below it every amount is exact. */
const MOST_DOLLARS = 1_000_000;

/** What a person wrote as a budget: an amount in millionths of a dollar, nothing, or something else. */
export type Amount = { ok: true; micro: number | undefined } | { ok: false };

/** A comma before one or two digits is a decimal sign; before three it may part thousands, so that is refused. */
export function amountOf(text: string): Amount {
  const bare = text.trim().replace(/^\$\s*/, "");
  if (bare === "") return text.trim() === "" ? { ok: true, micro: undefined } : { ok: false };
  if (!/^\d+(\.\d+)?$|^\.\d+$|^\d*,\d{1,2}$/.test(bare)) return { ok: false };
  const dollars = Number(bare.replace(",", "."));
  return dollars <= MOST_DOLLARS ? { ok: true, micro: Math.round(dollars * 1e6) } : { ok: false };
}

/** An amount as a person would write it: `5`, `0.50`, `0.0025`. */
export function amountText(micro: number | undefined): string {
  if (micro === undefined) return "";
  const dollars = micro / 1e6;
  if (Number.isInteger(dollars)) return String(dollars);
  const cents = dollars.toFixed(2);
  return Number(cents) === dollars ? cents : dollars.toFixed(6).replace(/0+$/, "");
}

/** The begin of the last 24 hours, at most some minutes earlier: a budget is never shown as less used than it is. */
export const lastDay = (now: number): number => Math.floor(now / STEP_MS) * STEP_MS - DAY_MS;

/** For how long back sums are shown. */
export const RANGES = ["today", "week", "month", "all"] as const;
export type Range = (typeof RANGES)[number];

/** The begin of a range, from this browser's own midnight. */
export function rangeBegin(range: Range, midnight: number): number {
  const days = { today: 0, week: 6, month: 29 };
  return range === "all" ? 0 : midnight - days[range] * DAY_MS;
}

export const GROUPS = ["model", "day", "session"] as const satisfies UsageGroup[];
export type Group = (typeof GROUPS)[number];

/** The sum of a table. */
export function totalOf(rows: UsageRow[]): UsageRow {
  const total: UsageRow = { key: "", requests: 0, input_tokens: 0, cached_tokens: 0, output_tokens: 0, cost: 0, unpriced: 0 };
  for (const row of rows) {
    total.requests += row.requests;
    total.input_tokens += row.input_tokens;
    total.cached_tokens += row.cached_tokens;
    total.output_tokens += row.output_tokens;
    total.cost += row.cost;
    total.unpriced += row.unpriced;
  }
  return total;
}
