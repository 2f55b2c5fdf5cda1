// The provider's signing keys, and access tokens signed with them: right ones, and every kind of wrong one.
import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { load } from '../setup/load.mjs';

const { SignJWT, importJWK } = await load('jose');

export class Keys {
  constructor(alg) {
    this.alg = alg;
    this.all = [newKey(alg)];
  }

  /** The newest key signs. `add` keeps the older ones published, `drop` only forgets them. */
  rotate(mode) {
    this.all = mode === 'drop' ? [this.all[0]] : [newKey(this.alg), ...this.all];
  }

  ids() {
    return this.all.map((key) => key.kid);
  }

  /**
   * Signs what it is told. `none` leaves the signature empty; HS… is keyed with our public key's PEM (the classic confusion) or with
   * `secret`; `foreign` signs with a key that nobody published under the current key's name, and so does an `alg` of another kind.
   */
  async sign(header, payload, { foreign, secret }) {
    const current = this.all[0];
    const full = withoutNulls({ alg: this.alg, typ: 'at+jwt', kid: current.kid, ...header });
    const { alg } = full;
    if (alg === 'none') return `${part(full)}.${part(payload)}.`;
    let key;
    if (alg.startsWith('HS')) {
      key = Buffer.from(secret ?? createPublicKey({ key: current, format: 'jwk' }).export({ type: 'spki', format: 'pem' }));
    } else {
      const jwk = foreign || family(alg) !== family(this.alg) ? newKey(alg) : current;
      key = await importJWK({ ...jwk, alg }, alg);
    }
    return new SignJWT(payload).setProtectedHeader(full).sign(key);
  }
}

export const withoutNulls = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));

const part = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');

const family = (alg) => (/^[RP]S/.test(alg) ? 'rsa' : alg);

function newKey(alg) {
  const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };
  let pair;
  if (curves[alg]) pair = generateKeyPairSync('ec', { namedCurve: curves[alg] });
  else if (alg === 'EdDSA') pair = generateKeyPairSync('ed25519');
  else pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...pair.privateKey.export({ format: 'jwk' }), kid: `key-${randomUUID().slice(0, 8)}`, use: 'sig', alg };
}
