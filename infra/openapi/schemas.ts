/** The shapes of bodies (JSON Schema 2020-12). Answers have exactly these members, so that a new one must be written down. */

export type Schema = Readonly<Record<string, unknown>>;

const text = (about: Schema = {}): Schema => ({ type: 'string', ...about });
const time = (description: string): Schema => text({ format: 'date-time', description });
const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema['type'], 'null'] });

/** Every member required. */
const answer = (properties: Readonly<Record<string, Schema>>, about: Schema = {}): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...about,
});
const request = (properties: Readonly<Record<string, Schema>>, optional: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
});

const access = text({ description: 'A JWT (RFC 9068) for `Authorization: Bearer`.' });
const refresh = text({ description: 'For the next pair. Opaque to its holder.' });
const password = text({ format: 'password', minLength: 1 });
const mailed = text({ minLength: 1, description: 'The code of the mail.' });
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

export const SCHEMAS = {
  Credentials: request(
    {
      username: text({ minLength: 1 }),
      password,
      device_token: text({ description: 'What an earlier login on this device answered. A wrong one is ignored.' }),
    },
    ['device_token'],
  ),
  RefreshToken: request({ refresh: text({ minLength: 1, description: 'The newest refresh token of a session.' }) }),
  AnyToken: request({ token: text({ minLength: 1, description: 'An access token or a refresh token.' }) }),
  NewUser: request(
    {
      username: text({ minLength: 3, maxLength: 128 }),
      password,
      email: orNull(text({ format: 'email' })),
      display_name: orNull(text({ maxLength: 150 })),
    },
    ['email', 'display_name'],
  ),
  CurrentPassword: request({ current_password: password }),
  Address: request({ email: text({ format: 'email' }) }),
  MailedCode: request({ token: mailed }),
  NewPassword: request({ token: mailed, new_password: password }),
  PasswordChange: request({ current_password: password, new_password: password }),
  ProfileChange: request(
    {
      display_name: orNull(text({ maxLength: 150 })),
      email: orNull(text({ format: 'email' })),
      current_password: text({ format: 'password', description: 'Needed with an `email`.' }),
    },
    ['display_name', 'email', 'current_password'],
  ),

  Pair: answer({ access, refresh }, { description: 'The tokens of a session.' }),
  NewSession: answer(
    {
      access,
      refresh,
      device_token: text({
        description:
          'For the next login on this device: with it, no stranger can lock its user out. It lets nobody in.',
      }),
    },
    { description: 'The tokens of a new session.' },
  ),
  AccessToken: answer({ access }, { description: 'In cookie mode: the other tokens are in cookies.' }),
  Nothing: answer({}, { description: 'An empty object.' }),
  Profile: answer({
    id: text(),
    username: text(),
    display_name: orNull(text()),
    email: orNull(text()),
    email_verified: { type: 'boolean', description: 'Whether a code that was mailed to it came back.' },
    pending_email: orNull(text({ description: 'Takes the place of `email` once it is verified.' })),
    roles: { type: 'array', items: text() },
    created_at: time('When the account was made.'),
  }),
  Session: answer({
    id: text(),
    current: { type: 'boolean', description: 'Whether it is the session that asks.' },
    created_at: time('The login.'),
    last_used_at: time('The last refresh, or the login.'),
    expires_at: time('When it ends unless it is refreshed.'),
    address: text({ description: 'Where the login came from.' }),
    device: text({ description: 'What the login came from, in words a person recognizes.' }),
  }),
  Sessions: answer({
    next: orNull(text({ description: 'Path of the next page.' })),
    results: { type: 'array', items: ref('Session') },
  }),
  Export: answer({
    exported_at: time('When this was put together.'),
    profile: ref('Profile'),
    sessions: { type: 'array', items: ref('ExportedSession') },
  }),
  ExportedSession: answer({
    id: text(),
    created_at: time('The login.'),
    last_used_at: time('The last refresh, or the login.'),
    expires_at: time('When it ends, or ended.'),
    active: { type: 'boolean', description: 'Whether it can still be used.' },
    ended_at: orNull(time('When it was ended by itself.')),
    address: text({ description: 'Where the login came from.' }),
    user_agent: text({ description: 'What the login came from, as it named itself.' }),
  }),
  KeySet: answer({ keys: { type: 'array', minItems: 1, items: ref('Key') } }, { description: 'RFC 7517 section 5.' }),
  Key: {
    type: 'object',
    description: 'A public key. It has no other members: the private ones are among those.',
    properties: {
      kty: text({ enum: ['EC', 'OKP', 'RSA'] }),
      kid: text(),
      alg: text(),
      use: { const: 'sig' },
      crv: text(),
      x: text(),
      y: text(),
      n: text(),
      e: text(),
    },
    required: ['kty', 'kid', 'alg', 'use'],
    additionalProperties: false,
  },
  Metadata: answer({
    issuer: text({ format: 'uri' }),
    jwks_uri: text({ format: 'uri' }),
    response_types_supported: { type: 'array', items: text() },
    grant_types_supported: { type: 'array', items: text() },
    subject_types_supported: { type: 'array', items: text() },
    id_token_signing_alg_values_supported: { type: 'array', items: text() },
    request_uri_parameter_supported: { const: false },
  }),
  Description: { type: 'object', properties: { openapi: text() }, required: ['openapi'] },
  Problem: {
    type: 'object',
    description:
      'RFC 9457. A refused token or login has a `code`; fields that are wrong have a list of messages each, under their own names.',
    properties: {
      type: { const: 'about:blank' },
      title: text(),
      status: { type: 'integer', minimum: 400, maximum: 599 },
      detail: text({ description: 'For people. The texts are those of Django REST Framework and Simple JWT.' }),
      code: text({ description: 'For programs.' }),
    },
    required: ['type', 'title', 'status', 'detail'],
    additionalProperties: { type: 'array', items: text(), minItems: 1 },
  },
} as const satisfies Record<string, Schema>;

export type SchemaName = keyof typeof SCHEMAS;
