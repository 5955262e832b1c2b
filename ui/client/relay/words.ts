/** The one-time secret of a pairing: read from a QR code or typed as twelve words, and what follows from it. */
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { base64url, fromBase64url, RelayError, utf8 } from "./bytes.ts";

/** 32 bytes by HKDF-SHA-256 without salt. */
export const derive = (secret: Uint8Array, info: string): Uint8Array => hkdf(sha256, secret, undefined, utf8(info), 32);

export interface PairingCode {
  /** The server, where the code names one; a typed code does not. */
  origin?: string;
  /** The desktop's X25519 key, which it then must have. */
  desktop?: Uint8Array;
  secret: Uint8Array;
}

/** Reads the text of a QR code. Throws `code`. */
export function fromQr(scanned: string): PairingCode {
  const match = /^(https?:\/\/[^/#]+)\/phone#v1\.([\w-]+)\.([\w-]+)$/.exec(scanned.trim());
  if (!match) throw new RelayError("code", "This is not a pairing code of ours.");
  const [, origin = "", key = "", secret = ""] = match;
  try {
    return { origin, desktop: fromBase64url(key, 32), secret: fromBase64url(secret, 16) };
  } catch {
    throw new RelayError("code", "This is not a pairing code of ours.");
  }
}

export const toQr = (origin: string, desktop: Uint8Array, secret: Uint8Array): string =>
  `${origin}/phone#v1.${base64url(desktop)}.${base64url(secret)}`;

/** Reads twelve words, in any case and with any white space. Throws `code`. */
export function fromWords(typed: string): PairingCode {
  const words = typed.trim().toLowerCase().split(/\s+/);
  if (words.length !== 12) throw new RelayError("code", "There are twelve words.");
  try {
    return { secret: mnemonicToEntropy(words.join(" "), wordlist) };
  } catch {
    throw new RelayError("code", "A word is wrong or missing.");
  }
}

export const toWords = (secret: Uint8Array): string => entropyToMnemonic(secret, wordlist);

/** Words that begin as typed, to be offered; at most `most`. */
export const completions = (typed: string, most = 4): string[] =>
  typed === "" ? [] : wordlist.filter((word) => word.startsWith(typed.toLowerCase())).slice(0, most);

export const pskOf = (secret: Uint8Array): Uint8Array => derive(secret, "plantocode-psk-v1");

export const mailboxOf = (secret: Uint8Array): string => bytesToHex(derive(secret, "mailbox"));

/** Six digits from a handshake hash: the first 24-bit number below 16 000 000 in HKDF's output, modulo a million. */
export function digitsOf(handshakeHash: Uint8Array): string {
  const stream = derive(handshakeHash, "plantocode-digits-v1");
  let last = 0;
  for (let at = 0; at + 3 <= stream.length; at += 3) {
    last = ((stream[at] ?? 0) << 16) | ((stream[at + 1] ?? 0) << 8) | (stream[at + 2] ?? 0);
    if (last < 16_000_000) break;
  }
  return String(last % 1_000_000).padStart(6, "0");
}
