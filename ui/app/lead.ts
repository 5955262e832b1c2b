import { toasts } from "#kit/overlays.tsx";
import { go, here, href, type Route } from "./route.ts";
import { w } from "./words.ts";

/** Goes somewhere, or says quietly that it is there. Tells whether it went. */
export type Lead = (to: Route, said: string) => boolean;

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

/** For something that is begun now and whose answer leads elsewhere: who has gone on meanwhile is left where they are. */
export function fromHere(): Lead {
  const from = here();
  return (to, said) => {
    if (here() !== from) {
      tellOf(to, said);
      return false;
    }
    go(to);
    return true;
  };
}
