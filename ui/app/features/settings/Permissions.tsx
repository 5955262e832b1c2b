import { ShieldCheck } from "lucide-react";
import type { Permission } from "#client/api.gen.ts";
import { Button, cx } from "#kit/core.tsx";
import { money } from "#kit/format.ts";
import kit from "#kit/kit.module.css";
import { toasts } from "#kit/overlays.tsx";
import { RelativeTime, Seen, useNow } from "#kit/values.tsx";
import { useEngine, useRead, useTask, useWhyNot } from "../../engine.tsx";
import { ErrorNote } from "../../ErrorNote.tsx";
import { href } from "../../route.ts";
import { w } from "../../words.ts";
import { doorText, holds, parted, places, timeLeft, whyOver } from "./permissions.ts";
import { Meter, Missing, Section } from "./Section.tsx";
import css from "./settings.module.css";

/** What may be sent without asking, with a way to end it. */
export function Permissions() {
  const { connection } = useEngine();
  const { value, error } = useRead("approvals.permissions", {});
  const words = w.settings.permissions;
  const { holding, over } = parted(value?.permissions ?? [], useNow());
  return (
    <Section id="permissions" title={words.title} lead={words.lead}>
      {!value && <Missing error={error} again={() => void connection.store.refresh("approvals.permissions", {})} rows={2} />}
      {value && holding.length === 0 && (
        <p className={css.none}><ShieldCheck size={16} aria-hidden="true" /><span>{words.none} <span className="quiet">{words.noneHint}</span></span></p>
      )}
      {holding.length > 0 && <ul className={css.rows} aria-label={words.holding}>{holding.map((p) => <li key={p.id}><Holding permission={p} /></li>)}</ul>}
      {over.length > 0 && (
        <details className={css.fold}>
          <summary>{words.over(over.length)}</summary>
          <ul className={css.rows} aria-label={words.ended}>{over.map((p) => <li key={p.id}><Over permission={p} /></li>)}</ul>
        </details>
      )}
    </Section>
  );
}

function useTitle(permission: Permission): string {
  return useRead("sessions.get", { session: permission.session }).value?.title || w.sessions.untitled;
}

function Holding({ permission }: { permission: Permission }) {
  const { connection } = useEngine();
  const title = useTitle(permission);
  const now = useNow();
  const whyNot = useWhyNot("approve");
  const task = useTask();
  const words = w.settings.permissions;
  const end = () =>
    task.run(async () => {
      await connection.call("approvals.end_permission", { permission: permission.id });
      await connection.store.refresh("approvals.permissions", {});
      toasts.add({ title: words.endedNow });
    });
  return (
    <div className={css.permission}>
      <div className={css.what}>
        <a className={css.name} href={href({ page: "session", session: permission.session, station: "task" })}><Seen text={title} /></a>
        <Where permission={permission} />
        <span className={css.bounds}>
          <span>{permission.under === "" ? words.whole : <Seen text={words.files(permission.under)} />}</span>
          <span>{permission.web ? words.web : words.noWeb}</span>
          <span>{words.given} <RelativeTime at={permission.created_at} /> {words.by} <Seen text={permission.created_by} /></span>
        </span>
      </div>
      <div className={css.spent}>
        <span className={css.figures}>
          <span>{words.spent(money(permission.spent), money(permission.cap))}</span>
          <span>
            {permission.held > 0 && `${words.held(money(permission.held))}, `}
            <time dateTime={new Date(permission.expires_at).toISOString()} title={new Date(permission.expires_at).toLocaleString()}>{timeLeft(permission.expires_at - now)}</time>
          </span>
        </span>
        <Meter used={permission.spent} held={permission.held} of={permission.cap} label={words.meter} />
      </div>
      <Button className={css.end} reason={whyNot} disabled={task.busy} aria-label={words.endOf(title)} onClick={end}>{words.end}</Button>
      {task.error && <div className={css.whole}><ErrorNote error={task.error} /></div>}
    </div>
  );
}

function Over({ permission }: { permission: Permission }) {
  const words = w.settings.permissions;
  return (
    <div className={css.over}>
      <span className={css.overName}><Seen text={useTitle(permission)} /></span>
      <span className={css.overWhy}><Seen text={whyOver(permission)} /></span>
      <span className={css.overEnd}>{words.spent(money(permission.spent), money(permission.cap))}, {words.given} <RelativeTime at={permission.created_at} /></span>
    </div>
  );
}

function Where({ permission }: { permission: Permission }) {
  return (
    <span className={css.where}>
      {places(permission).map(({ model, providers }) => <span key={model}><b><Seen text={model} /></b> {w.models.at} <Seen text={providers.join(", ")} /> </span>)}
      <span className={css.door}>{doorText(permission)}</span>
    </span>
  );
}

/** How many hold, as a way to them; nothing where none does. */
export function PermissionsLink() {
  const now = useNow();
  const n = useRead("approvals.permissions", {}).value?.permissions.filter((p) => holds(p, now)).length ?? 0;
  if (n === 0) return null;
  return <a className={cx(kit.button, kit.plain)} href={href({ page: "settings", section: "permissions" })}><ShieldCheck size={16} aria-hidden="true" />{w.settings.permissions.count(n)}</a>;
}
