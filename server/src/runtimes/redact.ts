/**
 * The last line of defence of the log: text that looks like a token, a code or a secret is masked, whoever wrote it there and why (TOK-10). The first line
 * is not to log such values at all.
 */

const secretNames = /token|secret|password|passwd|verifier|assertion|cookie|authorization|credential|api_?key|proof/i;

/** Each pattern keeps what helps to find the value again and masks the rest. */
const patterns: [RegExp, string][] = [
  // Parameters in URLs and forms.
  [
    /\b(code|state|token|access_token|refresh_token|id_token|id_token_hint|client_secret|client_assertion|code_verifier|code_challenge|password|device_code|user_code|csrf|tx|request_uri)=([^&\s"']+)/gi,
    '$1=***',
  ],
  [/\b(Bearer|Basic|DPoP)\s+[A-Za-z0-9._~+/=-]{4,}/gi, '$1 ***'],
  // user:password@host in addresses.
  [/(:\/\/[^/\s:@]*:)[^@\s/]+@/g, '$1***@'],
  // JWTs, also cut off ones.
  [/\beyJ[A-Za-z0-9_-]{4,}(\.[A-Za-z0-9_-]*){0,4}/g, 'eyJ***'],
  [/\b(sk_[A-Za-z0-9]{12})_[A-Za-z0-9_-]+/g, '$1_***'],
  [/\b(ac|rt|aat|st|ol|cs|at|dc)_[A-Za-z0-9_-]{8,}/g, '$1_***'],
  [/\bwhsec_[A-Za-z0-9+/]+={0,2}/g, 'whsec_***'],
  [/-----BEGIN [A-Z ]+-----[^-]*(-----END [A-Z ]+-----)?/g, '*** PEM ***'],
  // 256 random bits in base64url or hex (verifiers, session ids, hashes): long, and letters mixed with digits or with capitals. Our identifiers are shorter.
  [/(?<![A-Za-z0-9_/+-])(?=[a-z_+-]*[A-Z0-9])(?=[A-Z_+-]*[a-z0-9])[A-Za-z0-9_+-]{40,}={0,2}/g, '***'],
];

/** Masks what looks secret inside a text. */
export function redactText(text: string): string {
  return patterns.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), text);
}

/** Masks a field by its name, else by its text. */
export function redactField(name: string, value: string | number | boolean): string | number | boolean {
  if (typeof value !== 'string') return value;
  return secretNames.test(name) ? '***' : redactText(value);
}
