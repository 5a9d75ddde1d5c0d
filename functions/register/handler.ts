import { passwordFaults } from '../shared/domain/password-policy.ts';
import { displayNameFaults, emailFaults } from '../shared/domain/profile-fields.ts';
import { usernameFaults } from '../shared/domain/username.ts';
import { fieldsIn } from '../shared/http/body.ts';
import { endpoint } from '../shared/http/endpoint.ts';
import { json } from '../shared/http/reply.ts';
import { deviceIn } from '../shared/http/request.ts';
import { mailerFrom } from '../shared/mail/mailer.ts';
import { passwordsWith } from '../shared/password/hash.ts';
import { now } from '../shared/runtime/clock.ts';
import { connection } from '../shared/runtime/connection.ts';
import { readEnv, readSettings } from '../shared/runtime/env.ts';
import { newCode, newUserId } from '../shared/runtime/ids.ts';
import { log, nameOf } from '../shared/runtime/log.ts';
import { secret } from '../shared/runtime/secrets.ts';
import { addressAttempts } from '../shared/store/address-attempts.ts';
import { attemptCounter } from '../shared/store/attempts.ts';
import { storeClient } from '../shared/store/client.ts';
import { codePutter } from '../shared/store/codes.ts';
import { accountPutter } from '../shared/store/logins.ts';
import { sharedSecretsFrom } from '../shared/token/key-ring.ts';
import { register, type RegisterNeeds } from './register.ts';

const env = readEnv('USERS_TABLE', 'PEPPERS_SECRET');
const settings = readSettings('bcryptCost', 'passwordMinLength', 'registrationsPerAddress', 'mailFrom', 'verifyLink');

const store = storeClient(connection('DYNAMODB_ENDPOINT'));
const needs: Omit<RegisterNeeds, 'note'> = {
  now,
  registrations: addressAttempts(store, env.USERS_TABLE, {
    what: 'registration',
    limit: settings.registrationsPerAddress,
    window: 3_600,
  }),
  passwords: passwordsWith(secret(env.PEPPERS_SECRET, sharedSecretsFrom), settings.bcryptCost, now),
  newUserId,
  putAccount: accountPutter(store, env.USERS_TABLE),
  countAttempt: attemptCounter(store, env.USERS_TABLE),
  putCode: codePutter(store, env.USERS_TABLE),
  newCode,
  verifyLink: settings.verifyLink,
  sendMail: mailerFrom(settings.mailFrom, connection('SES_ENDPOINT')),
  warn: (event, error) => log('WARN', event, { error: nameOf(error) }),
};

export const handler = endpoint(async (event, note) => {
  const { username, password, email, display_name } = fieldsIn(
    event,
    {
      username: usernameFaults,
      password: (text, { username: name }) =>
        passwordFaults(text, typeof name === 'string' ? name : '', settings.passwordMinLength),
    },
    { email: emailFaults, display_name: displayNameFaults },
  );
  const wanted = { username, password, email, displayName: display_name };
  return json(201, await register(wanted, deviceIn(event).address, { ...needs, note }));
});
