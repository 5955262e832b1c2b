import { Plus, Trash2 } from "lucide-react";
import { cx, IconButton } from "#kit/core.tsx";
import { plain } from "#kit/invisible.ts";
import { Skeleton } from "#kit/states.tsx";
import { Seen } from "#kit/values.tsx";
import { useMay, useRead } from "../../engine.tsx";
import { go, href } from "../../route.ts";
import css from "../../shell.module.css";
import { w } from "../../words.ts";
import { isLeaving, useNewSession, useRemoveSession } from "./create.ts";

/** The other sessions of the project, beside the open one. */
export function Rail({ session: here }: { session: string }) {
  const session = useRead("sessions.get", { session: here }).value;
  const project = session?.project;
  const list = useRead("sessions.list", project === undefined ? null : { project }).value;
  const may = useMay("edit");
  const create = useNewSession();
  const remove = useRemoveSession();
  return (
    <nav className={css.rail} aria-label={w.sessions.title}>
      <div className={css.railHead}>
        <h2>{w.sessions.title}</h2>
        {may && <IconButton label={w.sessions.fresh} onClick={() => project && create(project)}><Plus size={16} /></IconButton>}
      </div>
      {!list && <Skeleton rows={3} label={w.loading} />}
      <ul className={css.railList}>
        {list?.sessions.filter((s) => !isLeaving(s.id)).map((s) => (
          <li key={s.id} className={css.railItem}>
            <a
              className={cx(css.railLink, s.id === here && css.railHere)}
              href={href({ page: "session", session: s.id, station: "task" })}
              aria-current={s.id === here ? "page" : undefined}
              title={plain(s.title)}
            >
              <Seen text={s.title || w.sessions.untitled} />
            </a>
            {may && <IconButton
              className={css.railMore}
              label={`${w.sessions.remove}: ${s.title || w.sessions.untitled}`}
              onClick={() => {
                remove(s);
                if (s.id === here) go({ page: "project", project: s.project });
              }}
            >
              <Trash2 size={14} />
            </IconButton>}
          </li>
        ))}
      </ul>
    </nav>
  );
}
