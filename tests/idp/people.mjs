// The people of the identity provider. Everybody's password is "password".
const seed = {
  alice: { email: 'alice@example.com', email_verified: true, name: 'Alice Archer', given_name: 'Alice', family_name: 'Archer', groups: ['staff', 'admins'] },
  bob: { email: 'bob@example.com', email_verified: true, name: 'Bob Baker', given_name: 'Bob', family_name: 'Baker', groups: ['staff'] },
  carol: { email: 'carol@example.com', email_verified: false, name: 'Carol Çelik', given_name: 'Carol', family_name: 'Çelik', groups: [] },
  'zoë.o’neil@例え.jp': { email: 'zoe@example.com', email_verified: true, name: 'Zoë O’Neil', given_name: 'Zoë', family_name: 'O’Neil', groups: ['équipe, "quoted"', 'staff'] },
};

export const people = new Map(Object.entries(seed));

// `sub` says nothing to a reader but can be turned back into the name.
export const subjectOf = (name) => `sub-${Buffer.from(name).toString('hex')}`;
export const nameOf = (subject) => Buffer.from(subject.slice('sub-'.length), 'hex').toString();

/** Every claim of one person, or undefined. Claims named in `_claim_names` live elsewhere: Entra's groups overage. */
export function claimsOf(name) {
  const person = people.get(name);
  if (!person) return undefined;
  const claims = { sub: subjectOf(name), preferred_username: name, ...person };
  for (const elsewhere of Object.keys(person._claim_names ?? {})) delete claims[elsewhere];
  return claims;
}

const profile = ['name', 'given_name', 'family_name', 'preferred_username'];
const email = ['email', 'email_verified'];
const standard = new Set(['sub', 'groups', '_claim_names', '_claim_sources', ...profile, ...email]);

/** What each scope releases. Claims that only a test knows come with `openid`, and so does what an overage replaces. */
export function claimsByScope() {
  const everyone = [...people.values()];
  const extra = everyone.flatMap((person) => Object.keys(person)).filter((claim) => !standard.has(claim));
  const elsewhere = everyone.flatMap((person) => Object.keys(person._claim_names ?? {}));
  return { openid: ['sub', ...new Set([...extra, ...elsewhere])], profile, email, groups: ['groups'] };
}
