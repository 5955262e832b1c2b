import { ChevronLeft, SquareTerminal } from "lucide-react";
import type { Terminal } from "#client/api.gen.ts";
import { cx } from "#kit/core.tsx";
import { EmptyState, Skeleton } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { href, type Route } from "../../route.ts";
import shell from "../../shell.module.css";
import { useWide } from "../../wide.ts";
import { w } from "../../words.ts";
import type { Started } from "./start.ts";
import { StartButtons, StartMark } from "./StartButtons.tsx";
import { TerminalRow } from "./TerminalRow.tsx";
import css from "./terminals.module.css";
import { TerminalView } from "./TerminalView.tsx";
import { useTerminals } from "./useTerminals.ts";

const show: Started = (terminal, lead) => void lead({ page: "terminals", terminal: terminal.id }, w.terminals.started(terminal.title));

/** Every terminal; beside the list, or instead of it, the one that is looked at. */
export function TerminalsPage({ route }: { route: Route & { page: "terminals" } }) {
  const wide = useWide();
  const { terminals, error, again } = useTerminals();
  const chosen = terminals?.find((t) => t.id === route.terminal) ?? (wide && route.terminal === undefined ? terminals?.[0] : undefined);
  if (!terminals) {
    return (
      <div className={shell.page}>
        <h1>{w.terminals.title}</h1>
        {error ? <ErrorNote error={error} again={again} /> : <Skeleton label={w.loading} />}
      </div>
    );
  }
  if (terminals.length === 0) {
    return (
      <div className={shell.page}>
        <h1>{w.terminals.title}</h1>
        <EmptyState icon={SquareTerminal} title={w.terminals.empty}><StartButtons look="primary" started={show} /></EmptyState>
      </div>
    );
  }
  if (!wide && chosen) return <One terminal={chosen} />;
  const list = (
    <ul className={css.list} aria-label={w.terminals.list}>
      {terminals.map((t) => <li key={t.id}><TerminalRow terminal={t} here={t.id === chosen?.id} /></li>)}
    </ul>
  );
  const trouble = error && <div className={css.inset}><ErrorNote error={error} again={again} /></div>;
  if (!wide) {
    return (
      <div className={cx(shell.page, css.page)}>
        <h1>{w.terminals.title}</h1>
        <div className={css.buttons}><StartButtons started={show} /></div>
        {trouble}
        {list}
      </div>
    );
  }
  return (
    <div className={css.columns}>
      <div className={css.side}>
        <div className={css.sideHead}><h1>{w.terminals.title}</h1><StartMark started={show} /></div>
        {trouble}
        {list}
      </div>
      {chosen ? <TerminalView key={chosen.id} terminal={chosen} touch={false} focus={route.terminal !== undefined} /> : <EmptyState icon={SquareTerminal} title={w.terminals.none} />}
    </div>
  );
}

/** One terminal on a narrow screen, where it has all the room. */
function One({ terminal }: { terminal: Terminal }) {
  return (
    <div className={css.one}>
      <div className={css.oneHead}>
        <a className={css.back} href={href({ page: "terminals" })} aria-label={w.terminals.back}><ChevronLeft size={20} aria-hidden="true" /></a>
        <h1><Seen text={terminal.title} /></h1>
      </div>
      <TerminalView key={terminal.id} terminal={terminal} touch />
    </div>
  );
}
