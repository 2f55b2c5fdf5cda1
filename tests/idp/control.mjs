// What a test can see and change while the provider runs. JSON in, JSON out, no authentication.
//
//   GET    /test/state             {issuer, kids, users, sessions: [{user, uid, clients}], requests: {discovery: 1, …}, client, outages}
//   PUT    /test/client            any client metadata, among it redirect_uris, post_logout_redirect_uris, backchannel_logout_uri and jwks
//   PUT    /test/users/NAME        merges claims; null removes one; `_claim_names` and `_claim_sources` make a groups overage
//   DELETE /test/users/NAME
//   POST   /test/auto-login        {"user": "alice"}, or "" for the form again
//   POST   /test/claims-in         {"id_token": false}: claims only at /me
//   POST   /test/rotate-keys       {"mode": "add" | "drop"}
//   POST   /test/token             {"user", "audience", "ttl", "scope", "client_id", "claims": {}, "header": {}, "foreign_key": true, "secret": "…"}
//                                  → {access_token, header, claims}; null in claims or header removes that field; see keys.mjs.
//                                  Without a user it is the client's own token.
//   POST   /test/logout-user       {"user": "alice"}: ends the sessions and sends back-channel logout → [{ok, client, sid, error}]
//   GET    /test/backchannel-log   what was sent and how it was answered
//   POST   /test/down              {"endpoint": "token" | ["jwks", …] | "all", "times": 1, "seconds": 2,
//                                   "status": 503, "body": "…", "type": "text/html" | "close": true | "hang": true}
//   DELETE /test/down              everything is up again
import { randomUUID } from 'node:crypto';
import { withoutNulls } from './keys.mjs';
import { beginOutage, endOutages, listOutages } from './outage.mjs';
import { claimsOf, nameOf, people, subjectOf } from './people.mjs';
import { endSession, revokeGrant, sessions } from './store.mjs';

export async function answerControl(idp, req, res, path, text) {
  let answer;
  try {
    answer = await control(idp, req.method, path, text ? JSON.parse(text) : {});
  } catch (error) {
    res.writeHead(400, { 'content-type': 'application/json' });
    return res.end(JSON.stringify({ error: error.error_description ?? error.message }));
  }
  res.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
  return res.end(JSON.stringify(answer ?? { error: `no such control: ${req.method} ${path}` }));
}

async function control(idp, method, path, body) {
  const [, name] = path.match(/^\/test\/users\/(.+)$/) ?? [];
  if (name) return changePerson(idp, method, decodeURIComponent(name), body);
  switch (`${method} ${path}`) {
    case 'GET /test/state':
      return state(idp);
    case 'PUT /test/client':
      return changeClient(idp, body);
    case 'POST /test/auto-login':
      idp.autoLogin = body.user ?? '';
      return { user: idp.autoLogin };
    case 'POST /test/claims-in':
      idp.claimsInIdToken = body.id_token !== false;
      idp.rebuild();
      return { id_token: idp.claimsInIdToken };
    case 'POST /test/rotate-keys':
      idp.keys.rotate(body.mode);
      idp.rebuild();
      return { kids: idp.keys.ids() };
    case 'POST /test/token':
      return accessToken(idp, body);
    case 'POST /test/logout-user':
      return logOut(idp, body.user);
    case 'GET /test/backchannel-log':
      return idp.backchannelLog;
    case 'POST /test/down':
      beginOutage(body);
      return listOutages();
    case 'DELETE /test/down':
      endOutages();
      return {};
    default:
      return undefined;
  }
}

function state(idp) {
  return {
    issuer: idp.issuer,
    kids: idp.keys.ids(),
    client: idp.clientMetadata,
    users: Object.fromEntries(people),
    sessions: sessions().map(([, session]) => ({
      user: nameOf(session.accountId),
      uid: session.uid,
      clients: Object.keys(session.authorizations ?? {}),
    })),
    requests: idp.requests,
    outages: listOutages(),
  };
}

async function changeClient(idp, metadata) {
  const before = idp.clientMetadata;
  idp.clientMetadata = { ...before, ...metadata };
  try {
    idp.rebuild();
    await idp.provider.Client.find(idp.clientId); // where the package validates
  } catch (error) {
    idp.clientMetadata = before;
    idp.rebuild();
    throw error;
  }
  return idp.clientMetadata;
}

function changePerson(idp, method, name, claims) {
  if (method === 'DELETE') people.delete(name);
  else people.set(name, withoutNulls({ ...people.get(name), ...claims }));
  idp.rebuild();
  return people.get(name) ?? {};
}

async function accessToken(idp, { user, audience, ttl = 300, scope = 'openid profile email groups', client_id = idp.clientId, claims, header, foreign_key, secret }) {
  const now = Math.floor(Date.now() / 1000);
  const payload = withoutNulls({
    ...(user === undefined ? { sub: client_id } : { sub: subjectOf(user), ...claimsOf(user) }),
    iss: idp.issuer,
    aud: audience ?? idp.audience,
    iat: now,
    exp: now + ttl,
    jti: randomUUID(),
    client_id,
    scope,
    ...claims,
  });
  const token = await idp.keys.sign(header, payload, { foreign: foreign_key, secret });
  return { access_token: token, header: JSON.parse(Buffer.from(token.split('.')[0], 'base64url')), claims: payload };
}

async function logOut(idp, user) {
  const subject = subjectOf(user);
  const sent = [];
  for (const [key, session] of sessions().filter(([, one]) => one.accountId === subject)) {
    for (const [clientId, { sid, grantId }] of Object.entries(session.authorizations ?? {})) {
      const client = await idp.provider.Client.find(clientId);
      if (client?.backchannelLogoutUri) {
        const outcome = await client.backchannelLogout(subject, sid).then(() => ({ ok: true }), (error) => ({ ok: false, error: String(error) }));
        sent.push({ ...outcome, client: clientId, sid });
      }
      if (grantId) revokeGrant(grantId);
    }
    endSession(key);
  }
  idp.backchannelLog.push(...sent);
  return sent;
}
