import { SquareTerminal } from "lucide-react";
import { useState, type KeyboardEvent, type ReactNode } from "react";
import type { Terminal } from "#client/api.gen.ts";
import { cx } from "#kit/core.tsx";
import { EmptyState, Skeleton } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { useEngine } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { usePref } from "../../prefs.ts";
import { useWide } from "../../wide.ts";
import { w } from "../../words.ts";
import session from "../sessions/session.module.css";
import type { SessionView } from "../sessions/view.ts";
import { StartButtons, StartMark } from "./StartButtons.tsx";
import { StateDot } from "./TerminalRow.tsx";
import css from "./terminals.module.css";
import { TerminalView } from "./TerminalView.tsx";
import { useTerminals } from "./useTerminals.ts";

interface SessionTerminalsProps {
  view: SessionView;
  title: string;
  /** Takes the focus into the terminal. */
  focus?: boolean;
  children?: ReactNode;
}

/** The terminals of a session: a row of tabs, and the one that is chosen. */
export function SessionTerminals({ view, title, focus = false, children }: SessionTerminalsProps) {
  const { prefs } = useEngine();
  const wide = useWide();
  const { terminals, error, again } = useTerminals(view.id);
  const [chosen, setChosen] = usePref<string | undefined>(prefs, `terminal.${view.id}`, undefined);
  const [fresh, setFresh] = useState<string>();
  const current = terminals?.find((t) => t.id === chosen) ?? terminals?.[0];
  const started = (terminal: Terminal) => {
    setChosen(terminal.id);
    setFresh(terminal.id);
  };
  const project = view.session?.project;
  return (
    <>
      <div className={cx(session.head, css.head)}>
        <h2>{title}</h2>
        {terminals && terminals.length > 0 && <Tabs terminals={terminals} current={current} choose={setChosen} />}
        {terminals && terminals.length > 0 && <StartMark project={project} session={view.id} started={started} />}
        <span className={session.spring} />
        {children}
      </div>
      {!terminals && (error ? <div className={css.inset}><ErrorNote error={error} again={again} /></div> : <Skeleton rows={4} label={w.loading} />)}
      {terminals?.length === 0 && (
        <EmptyState icon={SquareTerminal} title={w.terminals.emptySession}>
          <StartButtons look="primary" project={project} session={view.id} started={started} />
        </EmptyState>
      )}
      {current && <TerminalView key={current.id} terminal={current} touch={!wide} focus={focus || current.id === fresh} />}
    </>
  );
}

interface TabsProps {
  terminals: Terminal[];
  current: Terminal | undefined;
  choose(id: string): void;
}

function Tabs({ terminals, current, choose }: TabsProps) {
  const key = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const at = terminals.findIndex((t) => t.id === current?.id);
    const next = terminals[(at + by + terminals.length) % terminals.length];
    if (!next) return;
    choose(next.id);
    event.currentTarget.querySelector<HTMLElement>(`[data-tab="${CSS.escape(next.id)}"]`)?.focus();
  };
  return (
    <div className={css.tabs} role="tablist" aria-label={w.terminals.list} onKeyDown={key}>
      {terminals.map((t) => (
        <button key={t.id} type="button" role="tab" data-tab={t.id} className={cx(css.tab, t.id === current?.id && css.tabHere)} aria-selected={t.id === current?.id} tabIndex={t.id === current?.id ? 0 : -1} onClick={() => choose(t.id)}>
          <StateDot terminal={t} /><span><Seen text={t.title} /></span>
        </button>
      ))}
    </div>
  );
}
