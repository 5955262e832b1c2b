import { useAction } from "../../actions.tsx";
import { go } from "../../route.ts";
import { w } from "../../words.ts";
import { SECTIONS, sectionTitle } from "./sections.ts";

/** The settings and each of their parts, from anywhere. */
export function useSettingsActions(): void {
  useAction({ id: "settings", label: w.nav.settings, keys: "Mod+,", run: () => go({ page: "settings" }) });
  for (const section of SECTIONS) {
    // The sections never change, so neither does the number of hooks.
    useAction({ id: `settings.${section}`, label: w.settings.goTo(sectionTitle(section)), run: () => go({ page: "settings", section }) });
  }
}
