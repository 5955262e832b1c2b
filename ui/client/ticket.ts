/** How a page gets in: the ticket of the address is exchanged once for a token that this tab keeps. */

const KEY = "plantocode.token";

/** Takes the ticket out of a fragment like `#ticket=HEX`. */
export function ticketOf(hash: string): string | undefined {
  return /^#ticket=([0-9a-f]+)$/i.exec(hash)?.[1];
}

/** The tab's token, after exchanging a ticket if the address has one; undefined when there is none. */
export async function obtainToken(win: Window): Promise<string | undefined> {
  const ticket = ticketOf(win.location.hash);
  if (ticket === undefined) return win.sessionStorage.getItem(KEY) ?? undefined;
  // Out of the address before anything else, so that it is in no history and no bookmark.
  win.history.replaceState(null, "", win.location.pathname);
  const response = await win.fetch("/api/token", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ticket }),
  });
  // A used ticket in a tab that is already let in does no harm.
  if (!response.ok) return win.sessionStorage.getItem(KEY) ?? undefined;
  const { token } = (await response.json()) as { token: string };
  win.sessionStorage.setItem(KEY, token);
  return token;
}
