/** Numbers, paths and times as people read them. Pure; tested in test/format.test.ts. */

/** Micro-dollars as money: `$0.04`, `$0.0031`, `$12.30`. */
export function money(micro: number): string {
  const dollars = micro / 1_000_000;
  if (micro === 0 || dollars >= 0.01) return `$${dollars.toFixed(2)}`;
  // Two digits that mean something, so that a small price is not shown as nothing.
  const digits = Math.min(6, 1 - Math.floor(Math.log10(dollars)));
  return `$${dollars.toFixed(digits)}`;
}

/** `950`, `18.2k`, `1.2M`. */
export function compact(n: number): string {
  if (n < 1000) return String(n);
  if (n < 999_950) return `${trim(n / 1000)}k`;
  return `${trim(n / 1_000_000)}M`;
}

function trim(n: number): string {
  return n >= 100 ? String(Math.round(n)) : n.toFixed(1).replace(/\.0$/, "");
}

export const tokens = (n: number): string => `${compact(n)} ${n === 1 ? "token" : "tokens"}`;

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  if (n < 1024 * 1024) return `${trim(n / 1024)} KiB`;
  return `${trim(n / 1024 / 1024)} MiB`;
}

export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}

/** `3 files`, `1 file`. */
export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;

const UNITS: [number, string][] = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
];

export function relative(then: number, now: number): string {
  const ago = now - then;
  if (ago < 45_000) return "just now";
  if (ago < 30 * 86_400_000) {
    for (const [ms, unit] of UNITS) {
      const n = Math.round(ago / ms);
      if (n >= 1) return `${count(n, unit)} ago`;
    }
  }
  return new Date(then).toISOString().slice(0, 10);
}

/** A path split where it may be shortened: the folders may give way, the file name never. */
export function splitPath(path: string): { folder: string; file: string } {
  const at = path.lastIndexOf("/") + 1;
  return { folder: path.slice(0, at), file: path.slice(at) };
}

/** A path of at most `max` characters: folders in the middle give way first, the file name never. */
export function shortenPath(path: string, max: number): string {
  if (path.length <= max) return path;
  const parts = path.split("/");
  const file = parts.pop() ?? "";
  const [first] = parts;
  // The first folder says where one is; then as many of the last as fit.
  for (const start of first === undefined ? [] : [`${first}/…`, "…"]) {
    for (let kept = parts.length - 1; kept >= 0; kept--) {
      const tail = kept === 0 ? [] : parts.slice(-kept);
      const short = [start, ...tail, file].join("/");
      if (kept < parts.length - (start === "…" ? 0 : 1) && short.length <= max) return short;
    }
  }
  return file;
}
