/**
 * A viewer never answers a terminal's queries: the host's emulator does, once. What is replayed here may hold queries
 * of last week, and an answer would be typed into today's shell.
 */

interface Sequence {
  prefix?: string;
  intermediates?: string;
  final: string;
}

/** What is used of xterm's parser. A handler that returns true ends the matter. */
export interface ParserHooks {
  registerCsiHandler(id: Sequence, callback: () => boolean): unknown;
  registerDcsHandler(id: Sequence, callback: () => boolean): unknown;
  registerEscHandler(id: Sequence, callback: () => boolean): unknown;
  registerOscHandler(id: number, callback: (data: string) => boolean): unknown;
}

const CSI: Sequence[] = [
  { final: "c" }, { prefix: ">", final: "c" }, { prefix: "=", final: "c" }, // what are you
  { final: "n" }, { prefix: "?", final: "n" }, // state, cursor, colour scheme
  { intermediates: "$", final: "p" }, { prefix: "?", intermediates: "$", final: "p" }, // modes
  { prefix: ">", final: "q" }, // name and version
  { final: "t" }, { prefix: ">", final: "t" }, // window reports and title stacks
  { final: "x" }, { intermediates: "*", final: "y" }, // parameters, checksums
  { intermediates: "$", final: "u" }, { intermediates: "&", final: "u" }, { intermediates: "$", final: "w" },
  { prefix: "?", final: "u" }, // keyboard protocol
  { prefix: "?", final: "S" }, // graphics
];
const DCS: Sequence[] = [{ intermediates: "$", final: "q" }, { intermediates: "+", final: "q" }];
/** Colours: setting them is fine, asking for them is not. */
const COLOURS = [4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21];
/** The clipboard is no program's business, neither to read nor to write. */
const CLIPBOARD = 52;

export function silence(parser: ParserHooks): void {
  const swallow = () => true;
  for (const id of CSI) parser.registerCsiHandler(id, swallow);
  for (const id of DCS) parser.registerDcsHandler(id, swallow);
  parser.registerEscHandler({ final: "Z" }, swallow);
  for (const id of COLOURS) parser.registerOscHandler(id, (data) => data.includes("?"));
  parser.registerOscHandler(CLIPBOARD, swallow);
}
