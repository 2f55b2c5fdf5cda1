// A real, certified OpenID Provider (npm oidc-provider) for tests, on 127.0.0.1 only. It ends when its stdin closes.
// The first line on stdout is {"issuer":"http://127.0.0.1:PORT"} once it listens.
//
//   PORT                       0 (the default) takes any free port
//   CLIENT_ID, CLIENT_SECRET   sidegate, sidegate-secret. The clients are CLIENT_ID (client_secret_basic), …-post (client_secret_post),
//                              …-public (no secret) and …-key (private_key_jwt, once PUT /test/client has set its `jwks`)
//   REDIRECT_URIS, POST_LOGOUT_REDIRECT_URIS   separated by commas
//   BACKCHANNEL_LOGOUT_URI
//   ID_TOKEN_TTL, ACCESS_TOKEN_TTL, REFRESH_TOKEN_TTL, SESSION_TTL   seconds
//   ALG                        RS256, PS256, ES256 or EdDSA
//   PKCE=optional              else PKCE is required
//   REFRESH=scope              refresh tokens only for offline_access (honoured with prompt=consent only), else always
//   AUTO_LOGIN                 this person is signed in without the form
//   ACCESS_TOKEN_AUDIENCE      access tokens are JWTs for this audience, as when the request names a `resource`; /me refuses these
//   CLAIMS_IN=userinfo         profile, e-mail and groups are only at /me, else in the ID token too
//
// Sign in with the form (people.mjs; the password is "password"), or with login_hint=NAME&auto_login=1 on the authorization request.
// control.mjs has what a test can change while it runs.
import { createServer } from 'node:http';
import { load } from '../setup/load.mjs';
import { answerControl } from './control.mjs';
import { Keys } from './keys.mjs';
import { outage } from './outage.mjs';
import { claimsByScope, claimsOf, nameOf, people, subjectOf } from './people.mjs';
import { Store } from './store.mjs';

console.info = console.error; // oidc-provider's notices; stdout is ours
const { Provider } = await load('oidc-provider');
const env = process.env;
const list = (text) => text.split(',').map((part) => part.trim()).filter(Boolean);

const idp = {
  issuer: '',
  clientId: env.CLIENT_ID ?? 'sidegate',
  clientSecret: env.CLIENT_SECRET ?? 'sidegate-secret',
  audience: env.ACCESS_TOKEN_AUDIENCE,
  keys: new Keys(env.ALG ?? 'RS256'),
  clientMetadata: {
    redirect_uris: list(env.REDIRECT_URIS ?? 'http://127.0.0.1:8090/oidc/test/callback'),
    post_logout_redirect_uris: list(env.POST_LOGOUT_REDIRECT_URIS ?? 'http://127.0.0.1:8090/'),
    backchannel_logout_uri: env.BACKCHANNEL_LOGOUT_URI,
  },
  claimsInIdToken: env.CLAIMS_IN !== 'userinfo',
  autoLogin: env.AUTO_LOGIN ?? '',
  backchannelLog: [],
  requests: {},
  provider: undefined,
  rebuild() {
    this.provider = build();
    this.handle = this.provider.callback();
  },
};

function clients() {
  const { jwks, ...rest } = idp.clientMetadata;
  const common = {
    response_types: ['code'],
    id_token_signed_response_alg: idp.keys.alg,
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined && value !== null)),
  };
  if (common.backchannel_logout_uri) common.backchannel_logout_session_required = true;
  const confidential = { grant_types: ['authorization_code', 'refresh_token', 'client_credentials'], ...common };
  const id = idp.clientId;
  const secret = { client_secret: idp.clientSecret };
  return [
    { client_id: id, token_endpoint_auth_method: 'client_secret_basic', ...secret, ...confidential },
    { client_id: `${id}-post`, token_endpoint_auth_method: 'client_secret_post', ...secret, ...confidential },
    { client_id: `${id}-public`, token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token'], ...common },
    ...(jwks ? [{ client_id: `${id}-key`, token_endpoint_auth_method: 'private_key_jwt', jwks, ...confidential }] : []),
  ];
}

function build() {
  const seconds = (name, otherwise) => Number(env[name] ?? otherwise);
  const scopes = ['openid', 'offline_access', 'profile', 'email', 'groups'];
  const provider = new Provider(idp.issuer, {
    adapter: Store,
    clients: clients(),
    jwks: { keys: idp.keys.all },
    scopes,
    claims: claimsByScope(),
    conformIdTokenClaims: !idp.claimsInIdToken,
    cookies: { keys: ['only-for-tests'] },
    pkce: { required: () => env.PKCE !== 'optional' },
    extraParams: ['auto_login'],
    rotateRefreshToken: true,
    ttl: {
      IdToken: seconds('ID_TOKEN_TTL', 3600),
      AccessToken: seconds('ACCESS_TOKEN_TTL', 3600),
      ClientCredentials: seconds('ACCESS_TOKEN_TTL', 3600),
      RefreshToken: seconds('REFRESH_TOKEN_TTL', 86400),
      Session: seconds('SESSION_TTL', 86400),
      Interaction: 600,
      Grant: 86400,
    },
    enabledJWA: { idTokenSigningAlgValues: [idp.keys.alg], userinfoSigningAlgValues: [idp.keys.alg] },
    findAccount: (ctx, subject) => {
      const claims = claimsOf(nameOf(subject));
      return claims && { accountId: subject, claims: () => claims };
    },
    issueRefreshToken: (ctx, client, code) =>
      client.grantTypeAllowed('refresh_token') && (env.REFRESH !== 'scope' || code.scopes.has('offline_access')),
    loadExistingGrant: grantWithoutAsking,
    // Keycloak, Okta and Entra put the person into their access tokens; these do too.
    extraTokenClaims: (ctx, token) => {
      const { sub, ...claims } = (token.accountId && claimsOf(nameOf(token.accountId))) || {};
      return claims;
    },
    // The package's own dispatcher refuses loopback addresses, where our back-channel logout is.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      revocation: { enabled: true },
      userinfo: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, client, oneOf) => oneOf?.[0] ?? idp.audience,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: scopes.join(' '),
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: seconds('ACCESS_TOKEN_TTL', 3600),
          jwt: { sign: { alg: idp.keys.alg } },
        }),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          const yes = form.replace('</form>', '<input type=hidden name=logout value=yes></form>');
          ctx.body = page('Signing out', `${yes}<script>document.forms[0].submit()</script>`);
        },
        postLogoutSuccessSource: (ctx) => {
          ctx.body = page('Signed out', '');
        },
      },
    },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    renderError: (ctx, error) => {
      ctx.type = 'html';
      ctx.body = page('Error', `<pre>${escape(JSON.stringify(error))}</pre>`);
    },
  });
  provider.on('backchannel.success', (ctx, client, sub, sid) => idp.backchannelLog.push({ ok: true, client: client.clientId, sub, sid }));
  provider.on('backchannel.error', (ctx, error, client, sub, sid) =>
    idp.backchannelLog.push({ ok: false, client: client.clientId, sub, sid, error: String(error) }));
  provider.on('server_error', (ctx, error) => console.error(error));
  return provider;
}

// Consent is never asked.
async function grantWithoutAsking(ctx) {
  const { client, session, params, provider, resourceServers } = ctx.oidc;
  const known = session.grantIdFor(client.clientId);
  const grant = (known && (await provider.Grant.find(known))) ||
    new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(params.scope ?? 'openid');
  for (const resource of Object.keys(resourceServers)) grant.addResourceScope(resource, params.scope ?? 'openid');
  await grant.save();
  return grant;
}

const escape = (text) => String(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
const page = (title, body) =>
  `<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width"><title>${title}</title><h1>${title}</h1>${body}</html>`;

async function signIn(req, res) {
  const { params } = await idp.provider.interactionDetails(req, res);
  const fresh = params.prompt === 'login' && !params.auto_login;
  let who = params.auto_login ? params.login_hint : fresh ? '' : idp.autoLogin;
  let complaint = '';
  if (req.method === 'POST') {
    const form = new URLSearchParams(await readBody(req));
    if (form.has('cancel')) {
      return idp.provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'End-User aborted' });
    }
    who = form.get('password') === 'password' ? form.get('username') : '';
    if (!people.has(who)) complaint = 'Wrong user name or password';
  }
  if (people.has(who)) {
    const login = { accountId: subjectOf(who), amr: ['pwd'], remember: true };
    return idp.provider.interactionFinished(req, res, { login }, { mergeWithLastSubmission: false });
  }
  res.writeHead(complaint ? 401 : 200, { 'content-type': 'text/html; charset=utf-8' });
  res.end(page('Sign in', `<p id=client>for ${escape(params.client_id)}</p><p id=error role=alert>${complaint}</p><form method=post>
    <p><label>User name <input id=username name=username value="${escape(params.login_hint ?? '')}"></label>
    <p><label>Password <input id=password name=password type=password></label>
    <p><button id=login>Sign in</button> <button id=cancel name=cancel value=1>Cancel</button></form>`));
}

function readBody(req) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    req.on('data', (chunk) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks).toString())).on('error', reject);
  });
}

const endpoints = {
  '/.well-known/openid-configuration': 'discovery',
  '/jwks': 'jwks',
  '/auth': 'authorization',
  '/token': 'token',
  '/me': 'userinfo',
  '/session/end': 'end_session',
  '/token/introspection': 'introspection',
  '/token/revocation': 'revocation',
  '/request': 'pushed_authorization',
};

const server = createServer(async (req, res) => {
  try {
    const path = new URL(req.url, idp.issuer).pathname;
    if (path.startsWith('/test/')) return await answerControl(idp, req, res, path, await readBody(req));
    const endpoint = endpoints[path];
    if (endpoint) idp.requests[endpoint] = (idp.requests[endpoint] ?? 0) + 1;
    if (outage(endpoint, req, res)) return undefined;
    if (path.startsWith('/interaction/')) return await signIn(req, res);
    return idp.handle(req, res);
  } catch (error) {
    console.error(error);
    if (!res.headersSent) res.writeHead(error.statusCode ?? 500, { 'content-type': 'text/plain' });
    return res.end(String(error));
  }
});

server.listen(Number(env.PORT ?? 0), '127.0.0.1', () => {
  idp.issuer = `http://127.0.0.1:${server.address().port}`;
  idp.rebuild();
  console.log(JSON.stringify({ issuer: idp.issuer }));
});

// A test run that was killed leaves nobody behind.
process.stdin.on('close', () => process.exit(0)).on('end', () => process.exit(0)).resume();
