import { CopyButton, useAfter } from "#kit/states.tsx";
import { Button } from "#kit/core.tsx";
import css from "./shell.module.css";
import { w } from "./words.ts";

export function Mark({ size = 16 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" className={css.mark}>
      <rect width="16" height="16" rx="3.5" />
      <path d="M3.5 4.5h4M3.5 8h2.5M3.5 11.5h4" />
      <path d="m9 5 3.5 3L9 11" />
    </svg>
  );
}

/** Shown to a page that the engine did not open. */
export function Door() {
  return (
    <main className={css.door}>
      <Mark size={32} />
      <h1>{w.door.title}</h1>
      <p>{w.door.text}</p>
      <div className={css.command}>
        <code>{w.door.command}</code>
        <CopyButton text={w.door.command} words={w.error} />
      </div>
    </main>
  );
}

/** Before the engine has said anything. */
export function Connecting() {
  const shown = useAfter(true, 150);
  const late = useAfter(true, 4000);
  return (
    <main className={css.door} aria-busy="true">
      {shown && <Mark size={32} />}
      {shown && <p role="status">{late ? w.door.late : w.door.connecting}</p>}
    </main>
  );
}

export function TooOld() {
  return (
    <main className={css.door}>
      <Mark size={32} />
      <p role="alert">{w.door.tooOld}</p>
      <Button look="primary" onClick={() => window.location.reload()}>{w.door.reload}</Button>
    </main>
  );
}

/** Shown by the desktop app when it cannot open the engine. */
export function NoEngine({ why }: { why: string }) {
  return (
    <main className={css.door}>
      <Mark size={32} />
      <h1>{w.door.noEngine}</h1>
      <p role="alert">{why}</p>
      <p>{w.door.reopen}</p>
    </main>
  );
}
