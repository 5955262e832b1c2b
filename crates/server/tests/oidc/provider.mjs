// A certified OpenID provider as an issuer of people, with what tests need besides: other keys while it runs, tokens of any
// content under its present keys, and a count of what it was asked.
import { createServer } from "node:http";
import { createHmac } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import Provider from "oidc-provider";

const [port, redirectUri, secret] = process.argv.slice(2);

let provider;
let keys;
let counts = {};
let down = false;
let issuer;

/** Makes new keys, and publishes them alone: what the old ones signed is void. */
async function rotate() {
  const make = async (alg, options) => {
    const pair = await generateKeyPair(alg, { extractable: true, ...options });
    const kid = `${alg}-${Math.random().toString(36).slice(2)}`;
    const jwk = { ...(await exportJWK(pair.privateKey)), alg, kid, use: "sig" };
    return { alg, kid, jwk, ...pair };
  };
  keys = [await make("RS256"), await make("ES256"), await make("EdDSA", { crv: "Ed25519" })];
  provider = new Provider(issuer, {
    jwks: { keys: keys.map((key) => key.jwk) },
    clients: [{
      client_id: "plantocode",
      redirect_uris: [redirectUri],
      response_types: ["code"],
      grant_types: ["authorization_code"],
      id_token_signed_response_alg: process.env.ID_TOKEN_ALG ?? "RS256",
      ...(secret ? { client_secret: secret } : { token_endpoint_auth_method: "none" }),
    }],
    claims: { openid: ["sub"], profile: ["preferred_username"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["only for tests"] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id, email: `${id}@people.example` }),
    }),
    features: { devInteractions: { enabled: true } },
  });
}

/** A token of any content, signed as its header says. */
async function sign({ header, claims }) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = (head) => `${part(head)}.${part(claims)}`;
  if (header.alg === "none") return `${body(header)}.`;
  if (header.alg === "HS256") {
    // What is public is taken for a secret.
    const head = { kid: keys[0].kid, ...header };
    const pem = await exportSPKI(keys[0].publicKey);
    return `${body(head)}.${createHmac("sha256", pem).update(body(head)).digest("base64url")}`;
  }
  const key = keys.find((key) => key.alg === header.alg);
  return new SignJWT(claims).setProtectedHeader({ kid: key.kid, ...header }).sign(key.privateKey);
}

async function control(path, body) {
  switch (path) {
    case "/test/rotate": return rotate();
    case "/test/down": down = body.down; return;
    case "/test/counts": return counts;
    case "/test/sign": return { token: await sign(body) };
    default: throw new Error(path);
  }
}

const server = createServer(async (request, reply) => {
  const path = new URL(request.url, "http://x").pathname;
  try {
    if (path.startsWith("/test/")) {
      let text = "";
      for await (const part of request) text += part;
      const answer = await control(path, text ? JSON.parse(text) : {});
      reply.setHeader("content-type", "application/json");
      return reply.end(JSON.stringify(answer ?? {}));
    }
    counts[path] = (counts[path] ?? 0) + 1;
    if (down) return reply.writeHead(503).end();
    // Not our business how they are shown.
    return provider.callback()(request, reply);
  } catch (error) {
    reply.writeHead(500).end(String(error));
  }
});

server.listen(Number(port), "127.0.0.1", async () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  await rotate();
  console.log(JSON.stringify({ issuer }));
});
