import { AlertTriangle, CircleAlert, Info, KeyRound, type LucideIcon } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { Button, cx } from "./core.tsx";
import css from "./kit.module.css";
import { plain } from "./invisible.ts";
import { Seen } from "./seen.tsx";

/** True once `ms` have gone by while `on`. */
export function useAfter(on: boolean, ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!on) return;
    const timer = setTimeout(() => setLate(true), ms);
    return () => clearTimeout(timer);
  }, [on, ms]);
  return on && late;
}

/** The shape of what comes, after 150 ms. */
export function Skeleton({ rows = 5, label }: { rows?: number; label: string }) {
  const late = useAfter(true, 150);
  return (
    <div className={css.skeleton} role="status" aria-label={label}>
      {late && Array.from({ length: rows }, (_, i) => (
        <div key={i} className={css.bone} style={{ width: `${[72, 54, 83, 47, 66][i % 5]}%` }} />
      ))}
    </div>
  );
}

export function Progress({ value, total, label }: { value?: number | undefined; total?: number | undefined; label: string }) {
  const known = value !== undefined && total !== undefined && total > 0;
  return (
    <div
      className={cx(css.progress, !known && css.unknown)}
      role="progressbar"
      aria-label={plain(label)}
      {...(known ? { "aria-valuenow": value, "aria-valuemin": 0, "aria-valuemax": total } : {})}
    >
      <div className={css.bar} style={known ? { width: `${(100 * value) / total}%` } : undefined} />
    </div>
  );
}

interface EmptyProps {
  icon?: LucideIcon;
  title: string;
  children?: ReactNode;
}

/** One sentence, and the one action that fills it. */
export function EmptyState({ icon: Icon, title, children }: EmptyProps) {
  return (
    <div className={css.empty}>
      {Icon && <Icon size={24} strokeWidth={1.5} aria-hidden="true" />}
      <p>{title}</p>
      {children && <div className={css.actions}>{children}</div>}
    </div>
  );
}

type NoteTone = "info" | "accent" | "warning" | "error" | "secret";
const NOTE_ICONS: Record<NoteTone, LucideIcon> = {
  info: Info, accent: Info, warning: AlertTriangle, error: CircleAlert, secret: KeyRound,
};

export function Note({ tone = "info", children, live }: { tone?: NoteTone; children: ReactNode; live?: boolean }) {
  const Icon = NOTE_ICONS[tone];
  return (
    <div className={cx(css.note, tone !== "info" && css[tone])} role={live ? "status" : undefined}>
      <Icon size={16} aria-hidden="true" />
      <div>{children}</div>
    </div>
  );
}

interface ErrorProps {
  /** What happened, what was kept, what to do next. */
  text: string;
  details: string;
  words: { details: string; copy: string; copied: string; again: string };
  again?: (() => void) | undefined;
}

export function ErrorState({ text, details, words, again }: ErrorProps) {
  return (
    <div className={cx(css.note, css.error)} role="alert">
      <CircleAlert size={16} aria-hidden="true" />
      <div>
        <p><Seen text={text} /></p>
        {again && <div className={css.actions}><Button onClick={again}>{words.again}</Button></div>}
        <details>
          <summary>{words.details}</summary>
          <div className={css.details}>
            <pre className={css.code} tabIndex={0}><Seen text={details} /></pre>
            <div className={css.actions}><CopyButton text={details} words={words} /></div>
          </div>
        </details>
      </div>
    </div>
  );
}

export function CopyButton({ text, words }: { text: string | (() => Promise<string>); words: { copy: string; copied: string } }) {
  const [done, setDone] = useState(false);
  const copied = useAfter(done, 1600);
  useEffect(() => {
    if (copied) setDone(false);
  }, [copied]);
  const copy = async () => {
    await navigator.clipboard.writeText(typeof text === "string" ? text : await text());
    setDone(true);
  };
  return <Button onClick={() => void copy()}><span aria-live="polite">{done ? words.copied : words.copy}</span></Button>;
}

/** Exact text; characters that would not be seen are shown by their code points. */
export function Code({ text, label }: { text: string; label: string }) {
  return <pre className={css.code} tabIndex={0} role="region" aria-label={plain(label)}><Seen text={text} /></pre>;
}
