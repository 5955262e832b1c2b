import { Dialog } from "@base-ui/react/dialog";
import { CornerDownLeft, FolderOpen, PanelsTopLeft, Zap } from "lucide-react";
import { useId, useState, type KeyboardEvent } from "react";
import { cx, Kbd } from "#kit/core.tsx";
import kit from "#kit/kit.module.css";
import { Seen } from "#kit/values.tsx";
import { useActionList } from "../../actions.tsx";
import { useEngine, useRead } from "../../engine.tsx";
import { usePref } from "../../prefs.ts";
import { go } from "../../route.ts";
import { w } from "../../words.ts";
import { fuzzy } from "./fuzzy.ts";
import css from "./palette.module.css";

interface Entry {
  id: string;
  label: string;
  kind: "action" | "session" | "project";
  keys?: string | undefined;
  reason?: string | undefined;
  run(): void;
}

const ICONS = { action: Zap, session: PanelsTopLeft, project: FolderOpen };
const MOST = 12;

/** Everything that can be done, by name. */
export function Palette({ open, onClose }: { open: boolean; onClose(): void }) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={kit.veil} />
        <Dialog.Popup className={cx(kit.dialog, kit.wide, css.palette)} aria-label={w.palette.title}>
          <Search onClose={onClose} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function useEntries(): Entry[] {
  const actions = useActionList();
  const sessions = useRead("sessions.list", {}).value?.sessions ?? [];
  const projects = useRead("projects.list", {}).value?.projects ?? [];
  const seen = new Set<string>();
  const own: Entry[] = [];
  for (const a of actions.toReversed()) {
    if (a.keysOnly || seen.has(a.id)) continue;
    seen.add(a.id);
    own.unshift({ ...a, kind: "action", keys: a.keys?.split(" ")[0] });
  }
  return [
    ...own,
    ...sessions.map((s) => ({
      id: `session:${s.id}`, label: s.title || w.sessions.untitled, kind: "session" as const,
      run: () => go({ page: "session", session: s.id, station: "task" }),
    })),
    ...projects.map((p) => ({
      id: `project:${p.id}`, label: p.name, kind: "project" as const, run: () => go({ page: "project", project: p.id }),
    })),
  ];
}

function Search({ onClose }: { onClose(): void }) {
  const { prefs } = useEngine();
  const [recent, setRecent] = usePref<string[]>(prefs, "recent", []);
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useId();
  const entries = useEntries();
  const found = rank(entries, query, recent).slice(0, query ? MOST : 40);
  const current = found[Math.min(at, found.length - 1)];
  const run = (entry: Entry | undefined) => {
    if (!entry || entry.reason !== undefined) return;
    onClose();
    setRecent([entry.id, ...recent.filter((id) => id !== entry.id)].slice(0, 20));
    // After the dialog has given the focus back.
    setTimeout(() => entry.run(), 0);
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      setAt((Math.min(at, found.length - 1) + by + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(current);
    }
  };
  return (
    <>
      <input
        className={css.input}
        role="combobox"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={current && `${list}-${found.indexOf(current)}`}
        aria-label={w.palette.placeholder}
        placeholder={w.palette.placeholder}
        value={query}
        onChange={(e) => { setQuery(e.target.value); setAt(0); }}
        onKeyDown={key}
        spellCheck={false}
        autoComplete="off"
      />
      <ul className={css.list} role="listbox" id={list} aria-label={w.palette.title} tabIndex={-1}>
        {found.map((entry, i) => (
          <Row key={entry.id} id={`${list}-${i}`} entry={entry} on={entry === current} run={() => run(entry)} />
        ))}
      </ul>
      {found.length === 0 && <p className={css.none} role="status">{w.palette.none}</p>}
    </>
  );
}

function Row({ id, entry, on, run }: { id: string; entry: Entry; on: boolean; run(): void }) {
  const Icon = ICONS[entry.kind];
  return (
    <li
      id={id}
      role="option"
      aria-selected={on}
      aria-disabled={entry.reason !== undefined}
      className={cx(css.row, on && css.on)}
      onClick={run}
      ref={(node) => { if (on) node?.scrollIntoView({ block: "nearest" }); }}
    >
      <Icon size={16} aria-hidden="true" />
      <span className={css.label}><Seen text={entry.label} /></span>
      {entry.reason !== undefined && <small>{entry.reason}</small>}
      {entry.keys && <Kbd keys={entry.keys} />}
      {on && !entry.keys && <CornerDownLeft size={14} aria-hidden="true" />}
    </li>
  );
}

function rank(entries: Entry[], query: string, recent: string[]): Entry[] {
  const place = (id: string) => {
    const at = recent.indexOf(id);
    return at < 0 ? recent.length : at;
  };
  return entries
    .map((entry) => ({ entry, score: fuzzy(query, entry.label) }))
    .filter((e): e is { entry: Entry; score: number } => e.score !== undefined)
    .sort((a, b) => b.score - a.score || place(a.entry.id) - place(b.entry.id))
    .map((e) => e.entry);
}
