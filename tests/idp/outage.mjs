// Endpoints that fail on purpose.
const outages = new Map();

/** Starts one; {"times":0} ends it. Without `times` or `seconds` it lasts until it is ended. */
export function beginOutage({ endpoint = 'all', times = Infinity, seconds = Infinity, ...how }) {
  for (const one of [endpoint].flat()) {
    if (times > 0) outages.set(one, { ...how, times, until: Date.now() + seconds * 1000 });
    else outages.delete(one);
  }
}

export function endOutages() {
  outages.clear();
}

export const listOutages = () => Object.fromEntries(outages);

/** Answers in the endpoint's place when it is down; false when it is up. `all` means every endpoint that has a name. */
export function outage(endpoint, req, res) {
  const down = [outages.get(endpoint), outages.get('all')].find((one) => endpoint && one && one.times > 0 && one.until > Date.now());
  if (!down) return false;
  down.times -= 1;
  if (down.hang) return true;
  if (down.close) {
    req.socket.destroy();
  } else {
    res.writeHead(down.status ?? 503, { 'content-type': down.type ?? 'text/plain' });
    res.end(down.body ?? 'down for a test');
  }
  return true;
}
