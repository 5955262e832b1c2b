import { Kbd } from "#kit/core.tsx";
import { Sheet } from "#kit/overlays.tsx";
import { useActionList, type Action } from "../../actions.tsx";
import { w } from "../../words.ts";
import css from "./palette.module.css";

/** The keys that work at the present station, and those that work everywhere. */
export function KeysSheet({ open, onClose }: { open: boolean; onClose(): void }) {
  const actions = useActionList().filter((a) => a.keys !== undefined);
  const here = actions.filter((a) => a.here);
  return (
    <Sheet title={w.keys.title} close={w.close} open={open} onClose={onClose}>
      {/* On a low screen it is longer than the sheet; who has no mouse scrolls it from here. */}
      <div className={css.groups} tabIndex={0} role="region" aria-label={w.keys.title}>
        {here.length > 0 && <Group title={w.keys.here} actions={here} extra={{ label: w.keys.expand, keys: "Space" }} />}
        <Group title={w.keys.everywhere} actions={actions.filter((a) => !a.here)} />
      </div>
    </Sheet>
  );
}

function Group({ title, actions, extra }: { title: string; actions: Action[]; extra?: { label: string; keys: string } }) {
  return (
    <section className={css.group}>
      <h3>{title}</h3>
      <ul className={css.keys}>
        {[...actions, ...(extra ? [extra] : [])].map((a) => (
          <li key={a.label}>
            {a.label}
            <span>{a.keys?.split(" ").map((k) => <Kbd key={k} keys={k} />)}<span className="sr">{a.keys}</span></span>
          </li>
        ))}
      </ul>
    </section>
  );
}
