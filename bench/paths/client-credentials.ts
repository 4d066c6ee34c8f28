/** A machine gets a token (OAuth 2.1 client credentials), signed with ES256. */
import { machine, many, resource, type Subject, scope } from '../subject.ts';
import { basic, type HotPath, http } from './hot-path.ts';

const machineRequest = { grant_type: 'client_credentials', resource, scope };

export const path: HotPath = {
  name: 'POST /token client_credentials',
  goal: 0.3,
  supply: 'rotate',
  expect: 200,
  prepare: async (subject) => [http('POST', subject.paths.token, basic(machine.id, machine.secret), machineRequest)],
};

/** Access tokens of the machine client, each another one. `at` is the node that issues them. */
export async function machineTokens(subject: Subject, count: number, at: Subject['fetch'] = subject.fetch): Promise<string[]> {
  const headers = basic(machine.id, machine.secret);
  return many(count, async () => {
    const response = await at(subject.paths.token, { method: 'POST', headers, body: new URLSearchParams(machineRequest) });
    const { access_token } = (await response.json()) as { access_token?: string };
    if (!access_token) throw new Error(`no token: ${response.status}`);
    return access_token;
  });
}
