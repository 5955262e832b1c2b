import { Plus } from "lucide-react";
import { useState, type FormEvent } from "react";
import { Button, Field } from "#kit/core.tsx";
import { Pop } from "#kit/overlays.tsx";
import { useEngine, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { w } from "../../words.ts";
import css from "./files.module.css";

/** A file that the search did not find and the person knows. */
export function AddPath({ session }: { session: string }) {
  const { connection } = useEngine();
  const [open, setOpen] = useState(false);
  const [path, setPath] = useState("");
  const task = useTask();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    task.run(async () => {
      const ranking = await connection.call("discovery.include", { session, paths: [path.trim()], included: true });
      connection.store.put("discovery.files", { session }, ranking);
      setPath("");
      setOpen(false);
    });
  };
  return (
    <Pop
      label={w.files.add}
      open={open}
      onOpenChange={setOpen}
      trigger={<Button look="plain"><Plus size={16} aria-hidden="true" />{w.files.add}</Button>}
    >
      <form className={css.add} onSubmit={submit}>
        <Field label={w.files.add} hint={w.files.addHint} mono value={path} onChange={(e) => setPath(e.target.value)} />
        <ErrorNote error={task.error} />
        <Button type="submit" look="primary" disabled={task.busy || path.trim() === ""}>{w.files.addButton}</Button>
      </form>
    </Pop>
  );
}
