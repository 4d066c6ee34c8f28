/**
 * Stands for the libraries that read certificates and the attestations of Android (`alias` in wrangler.toml). The server asks for no attestation and refuses every key
 * that comes with a certificate before anybody would read it (server/src/crypto/webauthn.ts), so a Worker need not carry them. Whoever used a name would be thrown at.
 */
export const [
  AuthorityKeyIdentifierExtension,
  CRLDistributionPointsExtension,
  KeyDescription,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509ChainBuilder,
  X509Crl,
  id_ce_keyDescription,
]: undefined[] = [];
