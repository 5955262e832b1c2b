import { Plus, SquarePen, Trash2 } from "lucide-react";
import type { Session } from "#client/api.gen.ts";
import { Button, IconButton } from "#kit/core.tsx";
import { EmptyState, Skeleton } from "#kit/states.tsx";
import { Path, RelativeTime, Seen } from "#kit/values.tsx";
import { useAction } from "../../actions.tsx";
import { useEngine, useMay, useRead, useWhyNot } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { href } from "../../route.ts";
import css from "../../shell.module.css";
import { w } from "../../words.ts";
import { isLeaving, useNewSession, useRemoveSession } from "./create.ts";

/** The sessions of one project. */
export function SessionsPage({ project: id }: { project: string }) {
  const { connection } = useEngine();
  const projects = useRead("projects.list", {});
  const { value, error, loading } = useRead("sessions.list", { project: id });
  const create = useNewSession();
  const whyNot = useWhyNot("edit");
  const project = projects.value?.projects.find((p) => p.id === id);
  const sessions = value?.sessions.filter((s) => !isLeaving(s.id));
  useAction({ id: "session.new", label: w.sessions.fresh, keys: "Mod+Enter", run: () => create(id), reason: whyNot, here: true });
  return (
    <div className={css.page}>
      <div className={css.pageHead}>
        <div>
          <h1><Seen text={project?.name ?? w.sessions.title} /></h1>
          {project && <Path path={project.path} />}
        </div>
        <Button look="primary" keys="Mod+Enter" reason={whyNot} onClick={() => create(id)}><Plus size={16} aria-hidden="true" />{w.sessions.fresh}</Button>
      </div>
      {!value && <ErrorNote error={error} again={() => void connection.store.refresh("sessions.list", { project: id })} />}
      {!value && loading && <Skeleton label={w.loading} />}
      {sessions?.length === 0 && <EmptyState icon={SquarePen} title={w.sessions.empty} />}
      {sessions && sessions.length > 0 && (
        <ul className={css.rows} aria-label={w.sessions.title}>
          {sessions.map((session) => <li key={session.id}><SessionRow session={session} /></li>)}
        </ul>
      )}
    </div>
  );
}

function SessionRow({ session }: { session: Session }) {
  const remove = useRemoveSession();
  const may = useMay("edit");
  const title = session.title || w.sessions.untitled;
  return (
    <div className={css.row}>
      <a className={css.rowMain} href={href({ page: "session", session: session.id, station: "task" })}>
        <span className={css.rowTitle}><Seen text={title} /></span>
      </a>
      <span className={css.rowEnd}>
        <RelativeTime at={session.updated_at} />
        {may && <IconButton label={`${w.sessions.remove}: ${title}`} onClick={() => remove(session)}><Trash2 size={16} /></IconButton>}
      </span>
    </div>
  );
}
