import type { DeviceScope } from "#client/api.gen.ts";
import { Checkbox } from "#kit/core.tsx";
import { w } from "../../words.ts";
import css from "./devices.module.css";

export const SCOPES: DeviceScope[] = ["view", "files", "edit", "run", "approve", "type"];

/** What a device may do, in words. Looking is always part of it. */
export function Scopes({ chosen, choose }: { chosen: DeviceScope[]; choose(scopes: DeviceScope[]): void }) {
  return (
    <fieldset className={css.choices}>
      <legend>{w.devices.scopesLegend}</legend>
      {SCOPES.map((scope) => {
        const always = scope === "view";
        return (
          <label key={scope}>
            <Checkbox
              aria-label={w.devices.scopes[scope]}
              aria-describedby={`scope-${scope}`}
              checked={always || chosen.includes(scope)}
              disabled={always}
              onChange={(e) => choose(SCOPES.filter((s) => (s === scope ? e.target.checked : s === "view" || chosen.includes(s))))}
            />
            <span><b>{w.devices.scopes[scope]}</b><small id={`scope-${scope}`}>{w.devices.scopeHints[scope]}</small></span>
          </label>
        );
      })}
    </fieldset>
  );
}
