import { CircleDot, CircleSlash, CircleX, Hourglass } from "lucide-react";
import type { Terminal } from "#client/api.gen.ts";
import { cx, Pill } from "#kit/core.tsx";
import { RelativeTime, Seen } from "#kit/values.tsx";
import { useRead } from "../../engine.tsx";
import { href } from "../../route.ts";
import { w } from "../../words.ts";
import css from "./terminals.module.css";
import { quietFor, useNow } from "./useTerminals.ts";

/** How far a terminal is, as a sign with a word. */
export function StateMark({ terminal }: { terminal: Terminal }) {
  const now = useNow();
  const quiet = quietFor(terminal, now);
  if (quiet) return <Pill tone={quiet.tone}><Hourglass size={12} aria-hidden="true" />{quiet.text}</Pill>;
  if (terminal.state === "running") return <Pill tone="create"><CircleDot size={12} aria-hidden="true" />{w.terminals.states.running}</Pill>;
  if (terminal.state === "lost") return <Pill tone="warning"><CircleX size={12} aria-hidden="true" />{w.terminals.states.lost}</Pill>;
  const failed = terminal.exit?.signal !== undefined || (terminal.exit?.code ?? 0) !== 0;
  return <Pill tone={failed ? "error" : "plain"}><CircleSlash size={12} aria-hidden="true" />{w.terminals.exit(terminal.exit)}</Pill>;
}

/** The same where there is little room: a sign, and words only for what waits. */
export function StateDot({ terminal }: { terminal: Terminal }) {
  const quiet = quietFor(terminal, useNow());
  const word = terminal.state === "exited" ? w.terminals.exit(terminal.exit) : w.terminals.states[terminal.state];
  if (quiet) return <Pill tone={quiet.tone}><Hourglass size={12} aria-hidden="true" />{quiet.text}</Pill>;
  return <i className={css.dot} data-state={terminal.state}><span className="sr">{word}</span></i>;
}

/** One terminal of the list. */
export function TerminalRow({ terminal, here }: { terminal: Terminal; here: boolean }) {
  const projects = useRead("projects.list", {}).value?.projects ?? [];
  const project = projects.find((p) => p.id === terminal.project)?.name;
  return (
    <a className={cx(css.row, here && css.rowHere)} href={href({ page: "terminals", terminal: terminal.id })} aria-current={here ? "page" : undefined}>
      <span className={css.rowTitle}><Seen text={terminal.title} /></span>
      <StateMark terminal={terminal} />
      <span className={css.rowSub}>
        {project && <span><Seen text={project} /></span>}
        {terminal.command.length > 1 && <code><Seen text={terminal.command.join(" ")} /></code>}
      </span>
      <span className={css.rowTime}><RelativeTime at={terminal.last_output_at} /></span>
    </a>
  );
}
