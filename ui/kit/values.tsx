import { useSyncExternalStore } from "react";
import { cx } from "./core.tsx";
import css from "./kit.module.css";
import { compact, money, relative, splitPath } from "./format.ts";
import { plain } from "./invisible.ts";
import { Seen } from "./seen.tsx";

export { Seen };

/** A path whose folders give way, never the file name. */
export function Path({ path, wrap }: { path: string; wrap?: boolean }) {
  const { folder, file } = splitPath(path);
  return (
    <span className={cx(css.path, wrap && css.pathWrap)} title={plain(path)}>
      {folder && <span className={css.folder}><Seen text={folder} /></span>}
      <span className={css.file}><Seen text={file} /></span>
    </span>
  );
}

/** Text in which `names` stand between backticks, as the engine writes them. Nothing else is markup, and what would not be seen is. */
export function Names({ text }: { text: string }) {
  return text.split("`").map((part, i) => (i % 2 === 1 ? <code key={i}><Seen text={part} /></code> : <Seen key={i} text={part} />));
}

export const Money = ({ micro }: { micro: number }) => (
  <span title={`${(micro / 1_000_000).toFixed(6)} US dollars`}>{money(micro)}</span>
);

export const Tokens = ({ n, exact = true }: { n: number; exact?: boolean }) => (
  <span title={`${n.toLocaleString("en-US")} tokens${exact ? "" : ", estimated"}`}>
    {exact ? "" : "≈ "}
    {compact(n)}
  </span>
);

let minute = Date.now();
const tickers = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;
function follow(notify: () => void): () => void {
  // It stood still while nobody looked.
  if (ticking === undefined) minute = Date.now();
  tickers.add(notify);
  ticking ??= setInterval(() => {
    minute = Date.now();
    for (const tick of tickers) tick();
  }, 30_000);
  return () => {
    tickers.delete(notify);
    if (tickers.size === 0) {
      clearInterval(ticking);
      ticking = undefined;
    }
  };
}

/** The time, as far as it matters to words: it moves on twice a minute. */
export const useNow = (): number => useSyncExternalStore(follow, () => minute, () => minute);

export function RelativeTime({ at }: { at: number }) {
  const now = useNow();
  const date = new Date(at);
  return <time dateTime={date.toISOString()} title={date.toLocaleString()}>{relative(at, Math.max(now, at))}</time>;
}
