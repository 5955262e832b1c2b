import { useState, type FormEvent } from "react";
import { Actions, Button, Field } from "#kit/core.tsx";
import { plain } from "#kit/invisible.ts";
import kit from "#kit/kit.module.css";
import { Sheet } from "#kit/overlays.tsx";
import { useEngine, useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { tellOf, useShown } from "../../lead.ts";
import { usePref } from "../../prefs.ts";
import { useMounted } from "../../useMounted.ts";
import { w } from "../../words.ts";
import { useStart, wordsOf, type Started } from "./start.ts";

interface StartSheetProps {
  open: boolean;
  onClose(): void;
  project?: string | undefined;
  session?: string | undefined;
  started: Started;
}

interface Draft {
  command: string;
  title: string;
}
const NO_DRAFT: Draft = Object.freeze({ command: "", title: "" });

/** A program of the person's own choice, or their shell, in a project's folder. What is written is kept until it was started. */
export function StartSheet({ open, onClose, started, ...rest }: StartSheetProps) {
  const shown = useShown(open);
  const follow: Follow = (mine, terminal, lead) => {
    // Who does something else in the sheet by now is only told.
    if (!mine && shown()) return tellOf({ page: "terminals", terminal: terminal.id }, w.terminals.started(terminal.title), onClose);
    if (mine) onClose();
    started(terminal, lead);
  };
  return (
    <Sheet title={w.terminals.start} close={w.close} open={open} onClose={onClose}>
      <Form {...rest} follow={follow} />
    </Sheet>
  );
}

/** What follows a start; `mine` says that the form in which it was begun is shown still, as it was. */
type Follow = (mine: boolean, ...of: Parameters<Started>) => void;

function Form({ project: fixed, session, follow }: Pick<StartSheetProps, "project" | "session"> & { follow: Follow }) {
  const { prefs } = useEngine();
  const name = session ?? fixed ?? "";
  const key = `terminal.start.${name}`;
  const projects = useRead("projects.list", {}).value?.projects.filter((p) => p.present) ?? [];
  const [chosen, setChosen] = useState<string>();
  const [draft, setDraft] = usePref<Draft>(prefs, key, NO_DRAFT);
  const { command, title } = draft;
  const mounted = useMounted();
  const { start, busy, error } = useStart(name);
  const project = fixed ?? chosen ?? projects[0]?.id;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (project === undefined || busy) return;
    const words = wordsOf(command);
    const forget = prefs.sending(key);
    start(
      { project, ...(session ? { session } : {}), ...(words.length > 0 ? { command: words } : {}), ...(title.trim() ? { title } : {}) },
      (terminal, lead) => follow(forget() && mounted.current, terminal, lead),
    );
  };
  if (project === undefined) return <p>{w.terminals.noProject}</p>;
  return (
    <form onSubmit={submit} style={{ display: "grid", gap: 12 }}>
      {fixed === undefined && (
        <label className={kit.field}>
          <span>{w.terminals.project}</span>
          <select className={kit.input} value={project} onChange={(e) => setChosen(e.target.value)}>
            {projects.map((p) => <option key={p.id} value={p.id}>{plain(p.name)}</option>)}
          </select>
        </label>
      )}
      <Field label={w.terminals.command} hint={w.terminals.commandHint} mono value={command} onChange={(e) => setDraft({ ...draft, command: e.target.value })} autoCapitalize="off" />
      <Field label={w.terminals.name} hint={w.terminals.nameHint} value={title} onChange={(e) => setDraft({ ...draft, title: e.target.value })} />
      <ErrorNote error={error} />
      <Actions><Button look="primary" type="submit" disabled={busy}>{w.terminals.startButton}</Button></Actions>
    </form>
  );
}
