import { fromQr, type PairingCode } from "#client/relay/words.ts";

/** The code in the address of this page, if it has one. A damaged code is none: the words remain. */
export function codeOf(origin: string, hash: string): PairingCode | undefined {
  if (!hash.startsWith("#v1.")) return undefined;
  try {
    return fromQr(`${origin}/phone${hash}`);
  } catch {
    return undefined;
  }
}

/** Takes the code out of the address before anything else, so that it is in no history and no bookmark. */
export function takeCode(win: Window): PairingCode | undefined {
  const { origin, hash } = win.location;
  if (hash.startsWith("#v1.")) win.history.replaceState(null, "", "/phone/");
  return codeOf(origin, hash);
}

const BROWSERS: [RegExp, string][] = [[/Edg\//, "Edge"], [/Firefox\/|FxiOS/, "Firefox"], [/SamsungBrowser/, "Samsung Internet"], [/Chrome\/|CriOS/, "Chrome"], [/Safari\//, "Safari"]];
const SYSTEMS: [RegExp, string][] = [[/iPad/, "iPad"], [/iPhone/, "iPhone"], [/Android/, "Android"], [/Windows/, "Windows"], [/Mac OS X/, "Mac"], [/Linux/, "Linux"]];

/** `Chrome on Android`, from what the browser says of itself. */
export function deviceName(agent: string): string {
  const first = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(agent))?.[1];
  return [first(BROWSERS) ?? "Browser", first(SYSTEMS)].filter(Boolean).join(" on ");
}
