/**
 * The fortress rule of development mode: which requests come from this very computer, from a person or a tool, and not through a proxy, a tunnel or
 * somebody's web page (contracts §3, rule 2). Everything else is answered as production would.
 */

const forwarding =
  /^(forwarded|via|x-forwarded-.*|x-real-ip|x-original-.*|x-client-ip|true-client-ip|cf-.*|fly-.*|fastly-.*|x-envoy-.*|ngrok-.*|x-tunnel-.*|x-azure-.*|x-appengine-.*|x-amzn-.*)$/;

/** Whether a request may use a development convenience. `address` is the peer of the socket itself. */
export function isLocal(request: Request, address: string): boolean {
  return isLoopbackAddress(address) && isDirect(request) && isSameSite(request);
}

/** Loopback socket, loopback Host, no trace of a proxy or tunnel. */
export function isThisComputer(request: Request, address: string): boolean {
  return isLoopbackAddress(address) && isDirect(request);
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
}

function isDirect(request: Request): boolean {
  for (const name of request.headers.keys()) if (forwarding.test(name)) return false;
  // A rebound DNS name reaches our socket but brings its own Host.
  const host = request.headers.get('host') ?? new URL(request.url).host;
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/.test(host);
}

/** No page of another site may borrow the person's loopback: contracts §7.9. */
function isSameSite(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site');
  if (site !== null && site !== 'none' && site !== 'same-origin') return false;
  const origin = request.headers.get('origin');
  return origin === null || origin === new URL(request.url).origin;
}
