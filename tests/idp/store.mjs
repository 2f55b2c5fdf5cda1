// Storage in memory, shared by every Provider instance: keys and clients change by building a new one, sessions and grants stay.
const rows = new Map();
const byGrant = new Map();

export class Store {
  constructor(kind) {
    this.kind = kind;
  }

  async upsert(id, payload, expiresIn) {
    const key = `${this.kind}:${id}`;
    rows.set(key, { payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
    if (payload.uid) rows.set(`uid:${payload.uid}`, { payload: id, until: Infinity });
    if (payload.grantId) byGrant.set(payload.grantId, (byGrant.get(payload.grantId) ?? new Set()).add(key));
  }

  async find(id) {
    const row = rows.get(`${this.kind}:${id}`);
    return row && row.until > Date.now() ? row.payload : undefined;
  }

  async findByUid(uid) {
    const row = rows.get(`uid:${uid}`);
    return row && this.find(row.payload);
  }

  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    const row = rows.get(`${this.kind}:${id}`);
    if (row) row.payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    rows.delete(`${this.kind}:${id}`);
  }

  async revokeByGrantId(grantId) {
    revokeGrant(grantId);
  }
}

/** [key, session] of everybody who is signed in. */
export function sessions() {
  return [...rows].filter(([key, row]) => key.startsWith('Session:') && row.payload.accountId).map(([key, row]) => [key, row.payload]);
}

export function endSession(key) {
  rows.delete(key);
}

export function revokeGrant(grantId) {
  for (const key of byGrant.get(grantId) ?? []) rows.delete(key);
  byGrant.delete(grantId);
  rows.delete(`Grant:${grantId}`);
}
