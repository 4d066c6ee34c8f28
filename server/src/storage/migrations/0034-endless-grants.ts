/**
 * Finds what people allowed long ago and without an end, to end what no refresh family came of.
 */
export const endlessGrants = `
create index grants_endless on grants (created_at) where user_id is not null and revoked_at is null and expires_at is null;
`;
