/**
 * A second secret of a client while it changes them (CA-14): the older one works on until its end. Both are hashes, as ever.
 */
export const clientSecrets = `
alter table clients add column older_secret_hash text;
alter table clients add column older_secret_expires_at bigint;
`;
