/**
 * The Noise Protocol Framework, revision 34, as far as pairing and sessions need it: 25519, ChaChaPoly, BLAKE2s,
 * any interactive pattern that is given as data, with psk tokens. Checked against the published vectors.
 */
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { x25519 } from "@noble/curves/ed25519.js";
import { blake2s } from "@noble/hashes/blake2.js";
import { hmac } from "@noble/hashes/hmac.js";
import { concat, RelayError, utf8, view, type Random } from "./bytes.ts";

export type Token = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

/** A handshake pattern: who is known beforehand, and the tokens of each message, the initiator's first. */
export interface Pattern {
  name: string;
  known: boolean;
  messages: Token[][];
}

/** The pairing: both keys are carried, and the one-time secret proves itself in the third message. */
export const XXpsk3: Pattern = { name: "XXpsk3", known: false, messages: [["e"], ["e", "ee", "s", "es"], ["s", "se", "psk"]] };
/** The session: both know the other's key. */
export const KK: Pattern = { name: "KK", known: true, messages: [["e", "es", "ss"], ["e", "ee", "se"]] };

const KEY = 32;
const TAG = 16;
const EMPTY = new Uint8Array(0);

export interface KeyPair {
  secret: Uint8Array;
  public: Uint8Array;
}

export const keyPair = (secret: Uint8Array): KeyPair => ({ secret, public: x25519.getPublicKey(secret) });

/** A ChaCha20-Poly1305 key as Noise uses it: the nonce is 4 zero bytes and the number in 8 bytes little-endian. */
export interface CipherKey {
  seal(number: number, ad: Uint8Array, plain: Uint8Array): Uint8Array;
  /** Throws `forged`. */
  open(number: number, ad: Uint8Array, sealed: Uint8Array): Uint8Array;
  /** Noise's REKEY. */
  next(): CipherKey;
  bytes: Uint8Array;
}

function nonce(number: bigint): Uint8Array {
  const bytes = new Uint8Array(12);
  view(bytes).setBigUint64(4, number, true);
  return bytes;
}

export function cipherKey(bytes: Uint8Array): CipherKey {
  return {
    bytes,
    seal: (number, ad, plain) => chacha20poly1305(bytes, nonce(BigInt(number)), ad).encrypt(plain),
    open: (number, ad, sealed) => {
      try {
        return chacha20poly1305(bytes, nonce(BigInt(number)), ad).decrypt(sealed);
      } catch {
        throw new RelayError("forged", "Bytes that the key does not open.");
      }
    },
    next: () =>
      cipherKey(chacha20poly1305(bytes, nonce(0xffff_ffff_ffff_ffffn), EMPTY).encrypt(new Uint8Array(KEY)).slice(0, KEY)),
  };
}

/** Noise's HKDF over HMAC-BLAKE2s: two or three outputs. */
function hkdf(chaining: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
  const temporary = hmac(blake2s, chaining, input);
  const first = hmac(blake2s, temporary, Uint8Array.of(1));
  const second = hmac(blake2s, temporary, concat(first, Uint8Array.of(2)));
  return [first, second, hmac(blake2s, temporary, concat(second, Uint8Array.of(3)))];
}

/** The hash of all that was said, and the key that follows from all that was agreed. */
class Symmetric {
  hash: Uint8Array;
  private chaining: Uint8Array;
  private key?: CipherKey;
  private number = 0;

  constructor(protocol: string) {
    const name = utf8(protocol);
    this.hash = name.length <= KEY ? concat(name, new Uint8Array(KEY - name.length)) : blake2s(name);
    this.chaining = this.hash;
  }

  mixHash(data: Uint8Array): void {
    this.hash = blake2s(concat(this.hash, data));
  }

  mixKey(input: Uint8Array): void {
    const [chaining, key] = hkdf(this.chaining, input);
    this.chaining = chaining;
    this.key = cipherKey(key);
    this.number = 0;
  }

  mixKeyAndHash(input: Uint8Array): void {
    const [chaining, hash, key] = hkdf(this.chaining, input);
    this.chaining = chaining;
    this.mixHash(hash);
    this.key = cipherKey(key);
    this.number = 0;
  }

  get keyed(): boolean {
    return this.key !== undefined;
  }

  seal(plain: Uint8Array): Uint8Array {
    const sealed = this.key ? this.key.seal(this.number++, this.hash, plain) : plain;
    this.mixHash(sealed);
    return sealed;
  }

  open(sealed: Uint8Array): Uint8Array {
    const plain = this.key ? this.key.open(this.number++, this.hash, sealed) : sealed;
    this.mixHash(sealed);
    return plain;
  }

  split(): [CipherKey, CipherKey] {
    const [first, second] = hkdf(this.chaining, EMPTY);
    return [cipherKey(first), cipherKey(second)];
  }
}

export interface HandshakeOptions {
  pattern: Pattern;
  initiator: boolean;
  keys?: KeyPair;
  /** The other's static key, for patterns that know it. */
  peer?: Uint8Array;
  psk?: Uint8Array;
  prologue: Uint8Array;
  random: Random;
}

/** What a handshake leaves. */
export interface Finished {
  /** Equal at both ends, and at no one else's. */
  hash: Uint8Array;
  send: CipherKey;
  receive: CipherKey;
}

/** A handshake under way. After an error it is of no further use. */
export class Handshake {
  /** The other's static key, once it is known. */
  peer?: Uint8Array;
  private readonly symmetric: Symmetric;
  private readonly usesPsk: boolean;
  private ephemeral?: KeyPair;
  private peerEphemeral?: Uint8Array;
  private turn = 0;

  constructor(private readonly options: HandshakeOptions) {
    const { pattern, initiator, keys, peer, prologue } = options;
    this.symmetric = new Symmetric(`Noise_${pattern.name}_25519_ChaChaPoly_BLAKE2s`);
    this.usesPsk = pattern.messages.some((tokens) => tokens.includes("psk"));
    this.symmetric.mixHash(prologue);
    this.peer = peer;
    if (!pattern.known) return;
    if (!keys || !peer) throw new RelayError("malformed", "A handshake without its keys.");
    this.symmetric.mixHash(initiator ? keys.public : peer);
    this.symmetric.mixHash(initiator ? peer : keys.public);
  }

  /** The next message of ours. */
  write(payload: Uint8Array = EMPTY): Uint8Array {
    const message: Uint8Array[] = [];
    for (const token of this.tokens(true)) {
      if (token === "e") {
        this.ephemeral = keyPair(this.options.random(KEY));
        message.push(this.ephemeral.public);
        this.mixEphemeral(this.ephemeral.public);
      } else if (token === "s") {
        message.push(this.symmetric.seal(this.own().public));
      } else this.mix(token);
    }
    message.push(this.symmetric.seal(payload));
    return concat(...message);
  }

  /** Reads the other's next message and returns its payload. Throws `forged` or `malformed`. */
  read(message: Uint8Array): Uint8Array {
    let rest = message;
    const take = (length: number): Uint8Array => {
      if (rest.length < length) throw new RelayError("malformed", "A handshake message is too short.");
      const taken = rest.slice(0, length);
      rest = rest.slice(length);
      return taken;
    };
    for (const token of this.tokens(false)) {
      if (token === "e") {
        this.peerEphemeral = take(KEY);
        this.mixEphemeral(this.peerEphemeral);
      } else if (token === "s") {
        this.peer = this.symmetric.open(take(KEY + (this.symmetric.keyed ? TAG : 0)));
      } else this.mix(token);
    }
    return this.symmetric.open(rest);
  }

  finish(): Finished {
    if (this.turn < this.options.pattern.messages.length) throw new RelayError("out_of_place", "An unfinished handshake.");
    const [first, second] = this.symmetric.split();
    const hash = this.symmetric.hash;
    return this.options.initiator ? { hash, send: first, receive: second } : { hash, send: second, receive: first };
  }

  private tokens(ours: boolean): Token[] {
    const tokens = this.options.pattern.messages[this.turn];
    const mine = (this.turn % 2 === 0) === this.options.initiator;
    if (!tokens || mine !== ours) throw new RelayError("out_of_place", "A handshake message out of turn.");
    this.turn += 1;
    return tokens;
  }

  private own(): KeyPair {
    if (!this.options.keys) throw new RelayError("malformed", "A handshake without its keys.");
    return this.options.keys;
  }

  private mixEphemeral(key: Uint8Array): void {
    this.symmetric.mixHash(key);
    if (this.usesPsk) this.symmetric.mixKey(key);
  }

  /** In `es` and `se` the first letter is the initiator's key. */
  private mix(token: Token): void {
    if (token === "psk") {
      if (!this.options.psk) throw new RelayError("malformed", "A handshake without its keys.");
      return this.symmetric.mixKeyAndHash(this.options.psk);
    }
    const [left, right] = this.options.initiator ? [token[0], token[1]] : [token[1], token[0]];
    const ours = left === "e" ? this.ephemeral : this.own();
    const theirs = right === "e" ? this.peerEphemeral : this.peer;
    if (!ours || !theirs) throw new RelayError("malformed", "A handshake without its keys.");
    try {
      this.symmetric.mixKey(x25519.getSharedSecret(ours.secret, theirs));
    } catch (error) {
      if (error instanceof RelayError) throw error;
      // The library refuses points of small order, which nobody honest sends.
      throw new RelayError("forged", "A key that is none.");
    }
  }
}
