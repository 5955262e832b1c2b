import { FolderOpen, FolderX } from "lucide-react";
import { useState, type FormEvent } from "react";
import type { Project } from "#client/api.gen.ts";
import { Button, Field, Pill } from "#kit/core.tsx";
import { toasts } from "#kit/overlays.tsx";
import { EmptyState, Skeleton } from "#kit/states.tsx";
import { Path, RelativeTime, Seen } from "#kit/values.tsx";
import { useEngine, useMay, useRead, useTask } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { fromHere } from "../../lead.ts";
import { href } from "../../route.ts";
import css from "../../shell.module.css";
import { w } from "../../words.ts";

/** The granted folders. */
export function ProjectsPage() {
  const { connection } = useEngine();
  const { value, error, loading } = useRead("projects.list", {});
  const may = useMay("grant");
  return (
    <div className={css.page}>
      <div>
        <h1>{w.projects.title}</h1>
        <p className={css.lead}>{w.projects.lead}</p>
      </div>
      {may && <GrantForm />}
      {!value && <ErrorNote error={error} again={() => void connection.store.refresh("projects.list", {})} />}
      {!value && loading && <Skeleton label={w.loading} />}
      {value?.projects.length === 0 && <EmptyState icon={FolderOpen} title={w.projects.empty} />}
      {value && value.projects.length > 0 && (
        <ul className={css.rows} aria-label={w.projects.title}>
          {value.projects.map((project) => <li key={project.id}><ProjectRow project={project} /></li>)}
        </ul>
      )}
    </div>
  );
}

function GrantForm() {
  const { connection } = useEngine();
  const [path, setPath] = useState("");
  const task = useTask();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (path.trim() === "") return;
    const lead = fromHere();
    task.run(async () => {
      const project = await connection.call("projects.grant", { path: path.trim() });
      await connection.store.refresh("projects.list", {});
      lead({ page: "project", project: project.id }, w.projects.wasGranted(project.name));
    });
  };
  return (
    <form className={css.stack} style={{ justifyItems: "stretch" }} onSubmit={submit}>
      <div className={css.inline}>
        <Field label={w.projects.path} placeholder={w.projects.placeholder} mono value={path} onChange={(e) => setPath(e.target.value)} />
        <Button type="submit" look="primary" disabled={task.busy || path.trim() === ""}>{w.projects.grant}</Button>
      </div>
      <ErrorNote error={task.error} />
    </form>
  );
}

function ProjectRow({ project }: { project: Project }) {
  const { connection } = useEngine();
  const task = useTask();
  const may = useMay("grant");
  const withdraw = () =>
    task.run(async () => {
      await connection.call("projects.withdraw", { project: project.id });
      await connection.store.refresh("projects.list", {});
      toasts.add({
        title: w.projects.withdrawn(project.name),
        actionProps: { children: w.undo, onClick: () => void connection.call("projects.grant", { path: project.path }) },
      });
    });
  return (
    <>
      <div className={css.row}>
        {project.present ? <FolderOpen size={16} aria-hidden="true" /> : <FolderX size={16} aria-hidden="true" />}
        <a className={css.rowMain} href={href({ page: "project", project: project.id })}>
          <span className={css.rowTitle}><Seen text={project.name} /></span>
          <span className={css.rowSub}><Path path={project.path} /></span>
        </a>
        <span className={css.rowEnd}>
          {project.present ? <span className={css.optional}>{w.projects.granted} <RelativeTime at={project.granted_at} /></span> : <Pill tone="warning">{w.projects.missing}</Pill>}
          {may && <Button look="plain" onClick={withdraw} disabled={task.busy} aria-label={`${w.projects.withdraw} ${project.name}`}>{w.projects.withdraw}</Button>}
        </span>
      </div>
      <ErrorNote error={task.error} />
    </>
  );
}
