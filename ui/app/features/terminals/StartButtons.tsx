import { Plus, SquareTerminal } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "#kit/core.tsx";
import { useMay, useRead } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import { useStart, type Started } from "./start.ts";
import { StartSheet } from "./StartSheet.tsx";

interface StartButtonsProps {
  project?: string | undefined;
  session?: string | undefined;
  started: Started;
  look?: "primary" | "outline";
}

/** A shell with one press, anything else with a few words. */
export function StartButtons({ project, session, started, look = "outline" }: StartButtonsProps) {
  const projects = useRead("projects.list", {}).value?.projects.filter((p) => p.present);
  const may = useMay("type");
  const { start, busy, error } = useStart(`shell.${session ?? project ?? ""}`);
  const [open, setOpen] = useState(false);
  const home = project ?? projects?.[0]?.id;
  // Where there is a choice of folders, it is the person's.
  const choose = project === undefined && (projects?.length ?? 0) > 1;
  if (!may) return <p className="quiet">{w.phone.mayNot(w.devices.scopes.type)}</p>;
  const shell = () => {
    if (choose) setOpen(true);
    else if (home !== undefined) start({ project: home, ...(session ? { session } : {}) }, started);
  };
  return (
    <>
      <Button look={look} disabled={busy} onClick={shell} reason={projects && home === undefined ? w.terminals.noProject : undefined}>
        <SquareTerminal size={16} aria-hidden="true" />{choose ? w.terminals.start : w.terminals.shell}
      </Button>
      {!choose && <Button onClick={() => setOpen(true)}>{w.terminals.startCommand}</Button>}
      <ErrorNote error={error} />
      <StartSheet open={open} onClose={() => setOpen(false)} project={project} session={session} started={started} />
    </>
  );
}

/** The same, where there is room for a sign only. */
export function StartMark({ project, session, started }: Omit<StartButtonsProps, "look">) {
  const may = useMay("type");
  const [open, setOpen] = useState(false);
  if (!may) return null;
  return (
    <>
      <IconButton label={w.terminals.start} onClick={() => setOpen(true)}><Plus size={16} /></IconButton>
      <StartSheet open={open} onClose={() => setOpen(false)} project={project} session={session} started={started} />
    </>
  );
}
