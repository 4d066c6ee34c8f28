/**
 * Reads what a server says when it refuses: `WWW-Authenticate` with one or several challenges (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1, RFC 9470 §3).
 */

export type Challenge = {
  error?: string;
  errorDescription?: string;
  /** Where the server says its resource metadata is. Not yet believed. */
  resourceMetadata?: string;
  scope?: string;
  acrValues?: string;
  maxAge?: string;
  /** Only tokens bound to a key are accepted: there is a DPoP challenge and no Bearer one. */
  onlyBound?: true;
};

const piece = /[\s,]*([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/y;

type Parsed = { scheme: string; parameters: Record<string, string> };

/** The first Bearer challenge of the header, wherever it stands among others, with the error of a DPoP one; that one alone where there is no Bearer. Undefined when there is neither. */
export function readChallenge(header: string | null): Challenge | undefined {
  const challenges = parse(header ?? '');
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters;
  const dpop = challenges.find(({ scheme }) => scheme === 'dpop')?.parameters;
  const main = bearer ?? dpop;
  if (!main) return undefined;
  const told = main['error'] === undefined && dpop ? dpop : main;
  return {
    error: told['error'],
    errorDescription: told['error_description'],
    resourceMetadata: main['resource_metadata'],
    scope: main['scope'] || undefined,
    acrValues: main['acr_values'],
    maxAge: main['max_age'],
    ...(bearer ? {} : { onlyBound: true as const }),
  };
}

function parse(header: string): Parsed[] {
  const challenges: Parsed[] = [];
  piece.lastIndex = 0;
  for (let match = piece.exec(header); match; match = piece.exec(header)) {
    const [, name = '', quoted, plain] = match;
    const current = challenges.at(-1);
    if (quoted === undefined && plain === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: {} });
    else if (current) current.parameters[name.toLowerCase()] ??= plain ?? quoted?.replace(/\\(.)/g, '$1') ?? '';
  }
  return challenges;
}
