// A small identity provider for tests and development: one key, which is new at each start, and two clients.
//   node oidc_provider.mjs LISTEN_HOST LISTEN_PORT ISSUER CALLBACK
import { generateKeyPairSync } from 'node:crypto';
import { Provider } from 'oidc-provider';

const [host, port, issuer, callback] = process.argv.slice(2);
const audience = 'https://headwater.example';
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

new Provider(issuer, {
  jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256', kid: 'of-this-start' }] },
  clients: [{
    client_id: 'headwater',
    client_secret: 'only-on-this-machine',
    grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
    redirect_uris: [`http://localhost${callback}`],
    response_types: ['code'],
  }, { // a service in a test, on whatever port it has
    client_id: 'any-port',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    redirect_uris: [`http://127.0.0.1${callback}`],
    response_types: ['code'],
  }],
  claims: { openid: ['sub', 'roles'], profile: ['preferred_username'] },
  conformIdTokenClaims: false, // the ID token has them
  findAccount: (_, id) => ({ // whoever logs in as operator.olga is olga, an operator
    accountId: id,
    claims: () => ({ sub: id, roles: [id.split('.')[0]], preferred_username: id.split('.')[1] ?? id }),
  }),
  features: {
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: 'orders teller auditor', audience, accessTokenTTL: 300, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
}).listen(Number(port), host);
