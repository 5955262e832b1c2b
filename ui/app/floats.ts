/** What floats over the page and takes the keys. A note of what was done is a dialog that takes none. */
const FLOATS = "[role=dialog]:not([data-toast]), [role=menu], [role=listbox]:not([data-page])";

/** All that floats now; a page that is not drawn has nothing. A list that was closed may stay, hidden. */
export const floating = (): Element[] => (typeof document === "undefined" ? [] : [...document.querySelectorAll(FLOATS)].filter((e) => !e.closest("[hidden]")));
