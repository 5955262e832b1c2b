import { useCallback, useRef, useState } from "react";
import { toasts } from "#kit/overlays.tsx";
import { floating } from "./floats.ts";
import { go, here, href, type Route } from "./route.ts";
import { useMounted } from "./useMounted.ts";
import { w } from "./words.ts";

/** Goes somewhere, or says quietly that it is there; `leaving` is as in `tellOf`. Tells whether it went. */
export type Lead = (to: Route, said: string, leaving?: () => void) => boolean;

/** Says what came of something, with a way there; `leaving` closes what would stand in front of it. */
export function tellOf(to: Route, said: string, leaving?: () => void): void {
  if (here() === href(to)) return;
  const id = toasts.add({
    title: said,
    actionProps: {
      children: w.goThere,
      onClick: () => {
        toasts.close(id);
        leaving?.();
        go(to);
      },
    },
  });
}

/**
 * For something that is begun now and whose answer leads elsewhere: who has gone on meanwhile is left where they are. So
 * is who has opened something since that floats: with the page changed beneath it, the next key would mean another act.
 */
export function fromHere(): Lead {
  const from = here();
  const floated = floating();
  return (to, said, leaving) => {
    if (here() !== from || floating().some((now) => !floated.includes(now))) {
      tellOf(to, said, leaving);
      return false;
    }
    go(to);
    return true;
  };
}

/** Tells, also later on, whether a sheet is open now. */
export function useShown(open: boolean): () => boolean {
  const mounted = useMounted();
  const shown = useRef(open);
  shown.current = open;
  return useCallback(() => mounted.current && shown.current, [mounted]);
}

/** As `Lead`, from a sheet; `mine` says that the sheet in which it was begun is open still. */
export type SheetLead = (mine: boolean, lead: Lead, to: Route, said: string) => void;

/**
 * For a sheet in which something is begun whose answer leads elsewhere: it closes then. Who has closed it and opened it
 * anew meanwhile does something else there, and is only told.
 */
export function useSheetLead(open: boolean, onClose: () => void): { leave(): void; lead: SheetLead; sent: boolean } {
  // The focus goes on to where it leads then, and not back to what opened the sheet, which would take the station along.
  const [sent, setSent] = useState(false);
  const shown = useShown(open);
  const close = (led: boolean) => {
    setSent(led);
    onClose();
  };
  const lead: SheetLead = (mine, to, ...where) => {
    const leaving = () => close(true);
    if (!mine && shown()) tellOf(...where, leaving);
    else if (to(...where, leaving) && mine) leaving();
  };
  return { leave: () => close(false), lead, sent };
}
