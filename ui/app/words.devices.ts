import type { DeviceScope, LinkState } from "#client/api.gen.ts";

/** What paired devices say, at the desktop. */
export const devices = {
  title: "Devices", lead: "Phones and other machines that follow this engine. What passes is sealed: the server that relays it cannot read it.",
  empty: "No device is paired. A phone can follow jobs, plans and terminals from anywhere.",
  link: {
    signed_out: "Not signed in", idle: "No link is kept", connecting: "Connecting", online: "Devices can reach this engine",
  } satisfies Record<LinkState, string>,
  signedOutText: "Devices find this engine through a PlanToCode server. Sign in to one, then pair a phone.",
  idleText: "A link is made once a device is paired.",
  signIn: "Sign in", through: (server: string) => `through ${server}`, asName: (name: string) => `Devices see this engine as ${name}.`,
  fingerprint: "Fingerprint", ownFingerprint: "Fingerprint of this engine", compare: "A paired device shows the same. Compare them when in doubt.",
  pair: "Pair a device", online: "online", away: "away", seen: "last seen", never: "never connected", paired: "paired",
  may: "May", change: "Change what it may do", save: "Save", revoke: "Revoke", revokeName: (name: string) => `Revoke ${name}`,
  changeName: (name: string) => `Change what it may do: ${name}`,
  revokeTitle: (name: string) => `Revoke ${name}?`,
  revokeText: "Its links end at once and its keys are forgotten. To use it again it has to be paired anew.",
  keep: "Keep it", revoked: (name: string) => `${name} was revoked. It can no longer reach this engine.`,
  changed: (name: string) => `Stored. ${name} connects again with what it may do now.`,
  scopes: {
    view: "View", files: "Files", edit: "Edit", run: "Run", approve: "Approve", type: "Full control",
  } satisfies Record<DeviceScope, string>,
  scopeHints: {
    view: "Read sessions, plans, jobs and terminals. Always on.",
    files: "List and read files of projects, and rank them.",
    edit: "Change tasks and sessions.",
    run: "Start jobs. Spends money.",
    approve: "Approve what leaves this machine. Spends money.",
    type: "Start terminals and type into them: anything you could do at this machine.",
  } satisfies Record<DeviceScope, string>,
  scopesLegend: "What it may do",
  pairing: {
    title: "Pair a device", opening: "Asking the server for a place to meet",
    scan: "Scan this with the phone's camera, then follow what it shows.", code: "Pairing code to scan",
    wordsInstead: "Type words instead", wordsText: (address: string) => `On the phone, open ${address} and type these twelve words, in order.`,
    copyAddress: "Copy the address", left: (time: string) => `Good for ${time}`,
    arrived: (name: string) => `${name} is here. Type the six digits that it shows.`,
    digits: "Six digits", confirm: "Pair", mismatch: "If it shows no digits, or you do not know it, close this: nothing is granted.",
    tries: (n: number) => `${n} ${n === 1 ? "try is" : "tries are"} left.`,
    paired: (name: string) => `${name} is paired.`, done: "Done", again: "Begin again",
    noCode: "The code cannot be drawn. Type the words instead.",
  },
};

/** What the phone says. */
export const phone = {
  title: "PlanToCode on this phone", loading: "Opening",
  welcome: "Follow jobs, plans and terminals of your desktop. At the desktop open Devices, choose “Pair a device”, and scan the code, or type its twelve words here.",
  scanned: "The code was read. Next this phone shows six digits, which you type at the desktop.",
  words: "Twelve words", wordsHint: "With spaces between them. Capital letters do not matter.", offer: "Words that begin so",
  wordCount: (n: number) => `${n} of 12 words`, unknownWord: (word: string) => `“${word}” is not one of the words.`,
  name: "Name of this phone", nameHint: "The desktop shows it.", pair: "Pair", meeting: "Looking for the desktop",
  show: (desktop: string) => `Type these digits at ${desktop}`, digits: "Digits to type at the desktop",
  digitsText: "The desktop asks for them. Then this phone goes on by itself.", fingerprint: "Fingerprint",
  enrolling: "Making this phone known to the server", refused: "The desktop did not accept this phone. Nothing was granted.",
  again: "Try again", giveUp: "Give up", forged: "This may not be your desktop. Do not type any digits; begin a new pairing there.",
  desktops: "Desktops", choose: "Choose a desktop", online: "online", away: "away", unknown: "asking", pairAnother: "Pair another desktop",
  lastSeen: "last seen", removedText: "This phone was removed there, or by the server. Forget it here and pair again.", removed: "removed",
  unfinished: "The server has not taken this phone in yet.", finish: "Finish pairing",
  connecting: (name: string) => `Connecting to ${name}`, awayText: (name: string) => `${name} is not connected to the server now. This goes on when it is.`,
  noServer: "The server cannot be reached. Dialing again until it answers.",
  switch: "Switch desktop", forget: "Forget this desktop", forgetTitle: (name: string) => `Forget ${name}?`,
  forgetText: "This phone no longer knows it. Also revoke the phone at the desktop, under Devices. What is there is not touched.",
  forgetKeep: "Keep it", link: "Link", status: { connecting: "Connecting to the server", online: "Linked through the server", lost: "No connection to the server", refused: "The server refuses this phone" },
  thisPhone: "This phone", thatDesktop: "The desktop", compare: "The desktop shows both under Devices. They are the same there, or something is wrong.",
  noStorage: "This browser keeps no data, so it cannot be paired. Leave private browsing and try again.",
  may: "What this phone may do", mayNot: (what: string) => `This phone may not do this. Allow “${what}” at the desktop, under Devices.`,
};
