// Looks for texts in the memory of a running process, and in its files.
import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

const PIECE = 8 << 20;

/** A text in the forms in which a program might hold it: as it is, in hexadecimal, and in base64 at each alignment. */
export function forms(text) {
  const bytes = Buffer.from(text);
  const found = { plain: bytes, hex: Buffer.from(bytes.toString("hex")), HEX: Buffer.from(bytes.toString("hex").toUpperCase()) };
  for (const shift of [0, 1, 2]) {
    // What stands before and after it changes the characters at its edges; those in between are its own.
    const coded = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64");
    const from = shift === 0 ? 0 : 4;
    found[`base64+${shift}`] = Buffer.from(coded.slice(from, coded.length - 4));
  }
  return found;
}

/** The forms of `texts` that stand in the writable memory of the process `pid`, as `text (form)`. */
export async function inMemory(pid, texts) {
  const maps = (await readFile(`/proc/${pid}/maps`, "utf8")).split("\n");
  const memory = await open(`/proc/${pid}/mem`, "r");
  const found = new Set();
  let read = 0;
  try {
    for (const line of maps) {
      const region = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
      if (!region || line.includes("[vvar]")) continue;
      read += await search(memory, BigInt(`0x${region[1]}`), BigInt(`0x${region[2]}`), texts, found);
    }
  } finally {
    await memory.close();
  }
  if (read < 1 << 20) throw new Error(`only ${read} bytes of the memory of ${pid} could be read: this shows nothing`);
  return [...found].sort();
}

async function search(memory, from, to, texts, found) {
  const wanted = texts.flatMap((text) => Object.entries(forms(text)).map(([form, bytes]) => [`${text} (${form})`, bytes]));
  const overlap = BigInt(Math.max(...wanted.map(([, bytes]) => bytes.length)));
  const buffer = Buffer.alloc(PIECE);
  let total = 0;
  for (let at = from; at < to; ) {
    const length = Number(to - at < BigInt(PIECE) ? to - at : BigInt(PIECE));
    let bytesRead = 0;
    try {
      // Addresses of a process stay far below 2^53.
      ({ bytesRead } = await memory.read(buffer, 0, length, Number(at)));
    } catch {
      // A page that is gone meanwhile or was never there.
    }
    if (bytesRead === 0) break;
    total += bytesRead;
    const piece = buffer.subarray(0, bytesRead);
    for (const [name, bytes] of wanted) if (piece.includes(bytes)) found.add(name);
    if (at + BigInt(bytesRead) >= to) break;
    at += BigInt(bytesRead) > overlap ? BigInt(bytesRead) - overlap : BigInt(bytesRead);
  }
  return total;
}

/** The forms of `texts` that stand in any file below `folder`. */
export async function inFiles(folder, texts) {
  const found = new Set();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (!entry.isFile() || (await stat(path)).size > 512 << 20) continue;
    const content = await readFile(path);
    for (const text of texts)
      for (const [form, bytes] of Object.entries(forms(text))) if (content.includes(bytes)) found.add(`${text} (${form}) in ${entry.name}`);
  }
  return [...found].sort();
}
