import { useState, type FormEvent } from "react";
import { Actions, Button, Field } from "#kit/core.tsx";
import { plain } from "#kit/invisible.ts";
import kit from "#kit/kit.module.css";
import { Sheet } from "#kit/overlays.tsx";
import { useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import { useStart, wordsOf, type Started } from "./start.ts";

interface StartSheetProps {
  open: boolean;
  onClose(): void;
  project?: string | undefined;
  session?: string | undefined;
  started: Started;
}

/** A program of the person's own choice, or their shell, in a project's folder. */
export function StartSheet({ open, onClose, ...rest }: StartSheetProps) {
  return (
    <Sheet title={w.terminals.start} close={w.close} open={open} onClose={onClose}>
      <Form {...rest} onClose={onClose} />
    </Sheet>
  );
}

function Form({ project: fixed, session, started, onClose }: Omit<StartSheetProps, "open">) {
  const projects = useRead("projects.list", {}).value?.projects.filter((p) => p.present) ?? [];
  const [chosen, setChosen] = useState<string>();
  const [command, setCommand] = useState("");
  const [title, setTitle] = useState("");
  const { start, busy, error } = useStart();
  const project = fixed ?? chosen ?? projects[0]?.id;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (project === undefined || busy) return;
    const words = wordsOf(command);
    start(
      { project, ...(session ? { session } : {}), ...(words.length > 0 ? { command: words } : {}), ...(title.trim() ? { title } : {}) },
      (terminal, lead) => { onClose(); started(terminal, lead); },
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
      <Field label={w.terminals.command} hint={w.terminals.commandHint} mono value={command} onChange={(e) => setCommand(e.target.value)} autoCapitalize="off" />
      <Field label={w.terminals.name} hint={w.terminals.nameHint} value={title} onChange={(e) => setTitle(e.target.value)} />
      <ErrorNote error={error} />
      <Actions><Button look="primary" type="submit" disabled={busy}>{w.terminals.startButton}</Button></Actions>
    </form>
  );
}
