import { FolderOpen, Keyboard, Search, Settings, Smartphone, UserRound } from "lucide-react";
import { Button, Checkbox } from "#kit/core.tsx";
import { CostList } from "./features/jobs/CostToday.tsx";
import { PhoneMore } from "./features/phone/PhoneMore.tsx";
import { useEngine } from "./engine.tsx";
import { usePref } from "./prefs.ts";
import { go } from "./route.ts";
import type { Floating } from "./Shell.tsx";
import css from "./shell.module.css";
import type { Theme } from "./theme.ts";
import { w } from "./words.ts";

/** What a phone has no room for elsewhere. */
export function MorePage({ float }: { float(what: Floating): void }) {
  const { phone, prefs } = useEngine();
  const [aloud, setAloud] = usePref(prefs, "terminals.aloud", false);
  const [theme, setTheme] = usePref<Theme>(prefs, "theme", "system");
  return (
    <div className={css.page}>
      <h1>{w.nav.more}</h1>
      {phone && <PhoneMore phone={phone} />}
      <div className={css.stack}>
        {!phone && <Button onClick={() => float("account")}><UserRound size={16} />{w.nav.account}</Button>}
        {!phone && <Button onClick={() => go({ page: "devices" })}><Smartphone size={16} />{w.nav.devices}</Button>}
        <Button onClick={() => go({ page: "settings" })}><Settings size={16} />{w.nav.settings}</Button>
        <Button onClick={() => go({ page: "home" })}><FolderOpen size={16} />{w.nav.home}</Button>
        <Button onClick={() => float("palette")}><Search size={16} />{w.nav.palette}</Button>
        <Button onClick={() => float("keys")}><Keyboard size={16} />{w.nav.keys}</Button>
      </div>
      <section className={css.stack}>
        <h2>{w.usage.title}</h2>
        <CostList />
      </section>
      <fieldset className={css.choices}>
        <legend>{w.nav.theme}</legend>
        {(Object.keys(w.theme) as Theme[]).map((name) => (
          <label key={name}>
            <input type="radio" name="theme" checked={theme === name} onChange={() => setTheme(name)} /> {w.theme[name]}
          </label>
        ))}
      </fieldset>
      <div className={css.choices}>
        <label><Checkbox checked={aloud} onChange={(e) => setAloud(e.target.checked)} />{w.terminals.screenReader}</label>
      </div>
    </div>
  );
}
