/**
 * Keeps the phone's own files, so that it starts without a connection. It answers for nothing else: what is asked of
 * the server's interface never passes through here, and nothing of it is kept.
 */
const VERSION = "__VERSION__";
const FILES = ["__FILES__"];
const PAGE = "/phone/";
const CACHE = `plantocode-phone-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([PAGE, ...FILES])).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("plantocode-phone-") && name !== CACHE;
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    // The newest page when there is a connection, and soon; the kept one otherwise.
    if (url.pathname === "/phone" || url.pathname === PAGE) event.respondWith(page(request));
  } else if (FILES.includes(url.pathname)) {
    event.respondWith(caches.match(url.pathname, { cacheName: CACHE }).then((kept) => kept ?? fetch(request)));
  }
});

async function page(request) {
  const late = new Promise((resolve) => setTimeout(resolve, 3000));
  const fresh = fetch(request).then((response) => (response.ok ? response : undefined), () => undefined);
  const answer = await Promise.race([fresh, late]);
  return answer ?? (await caches.match(PAGE, { cacheName: CACHE })) ?? (await fresh) ?? Response.error();
}
